"""Data sets without some of their images."""

from collections.abc import Sequence
from dataclasses import replace

from aerialseg.data.layouts.listing import Listing, Sample
from aerialseg.data.sources.data_sources import Sources


def narrowed(sources: Sources, samples: Sequence[Sample]) -> Sources:
    """The same data sets with some samples only; sets that have none of them are left out.

    Args:
        sources: The data sets.
        samples: With the splits that they keep; of several data sets with the name of theirs, also
            in front of their ids.
    """
    listings: dict[str, list[Sample]] = {}
    for sample in samples:
        name = sample.data_set
        own = (
            replace(sample, id=sample.id.removeprefix(f"{name}/"), data_set="") if name else sample
        )
        listings.setdefault(name, []).append(own)
    given = {
        name: source.listing(Listing(tuple(listings[name]), is_part=True))
        for name, source in sources.by_name.items()
        if name in listings
    }
    return replace(sources, given=given, classes=sources.table.to_mapping())
