"""What to type so that images of one place are kept on one side of the split."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from aerialseg.data.checks.grouping import Grouping, grouping
from aerialseg.data.checks.place_findings import Pair
from aerialseg.data.layouts.listing import Sample
from aerialseg.data.notices import about, with_own_keys
from aerialseg.data.sources.splits import SplitSettings
from aerialseg.durations import counted


class GroupingAdvice:
    """Advice about one data set.

    Args:
        split: How it is split now.
        name: Its name; empty if it is the only one.
        samples: Its samples as they are listed.
        pairs: Images of one place, of all data sets.
        output_dir: Where a table of groups would be written.

    Attributes:
        tables: By path, the table that the text names, once it was asked for.
    """

    def __init__(
        self,
        split: SplitSettings,
        name: str,
        samples: Sequence[Sample],
        pairs: Sequence[Pair],
        output_dir: Path,
    ) -> None:
        self._split, self._name, self._samples = split, name, samples
        self._divided = [sample.id for sample in samples if sample.split is None]
        self._pairs, self._folder = pairs, output_dir
        self.tables: dict[Path, Mapping[str, str]] = {}

    def text(self) -> str:
        """What to type, or what else to do."""
        if not self._divided:
            return (
                "the split is the data set's own: leave these images out for a fair score, or "
                "keep them to compare with others who use this split"
            )
        with about(self._name):
            return with_own_keys(self._typed(self._found()))

    def _found(self) -> Grouping:
        """The groups of the images that are divided."""
        known, prefix = set(self._divided), f"{self._name}/" if self._name else ""
        linked = []
        for pair in self._pairs:
            if pair.data_sets == {self._name}:
                one, other = (s.sample.id.removeprefix(prefix) for s in (pair.one, pair.other))
                linked += [(one, other)] if one in known and other in known else []
        now = self._split.groups_among(self._samples) if self._split.groups_images else {}
        return grouping(self._divided, linked, now, self._split.val_fraction)

    def _typed(self, found: Grouping) -> str:
        """The advice in words."""
        if not found.can_be_split:
            return (
                f"{found.largest} of {counted(len(self._divided), 'image')} hang together by what "
                "they show, so that no split of them is fair: validate on images of another place"
            )
        if found.pattern is not None:
            more = "" if self._split.groups is None else " data.groups=null"
            typed = f"'data.group_pattern=\"{found.pattern}\"'{more}"
        else:
            path = self._folder / (f"groups_{self._name}.csv" if self._name else "groups.csv")
            self.tables[path] = found.table
            more = "" if self._split.group_pattern is None else " data.group_pattern=null"
            typed = f"data.groups={path}{more}"
        return f"keep each place on one side, which splits anew: add {typed}"
