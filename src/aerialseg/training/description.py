"""What the checkpoints of a stage say about themselves."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from aerialseg.config.schema import Experiment
from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.models.normalisation import for_bands
from aerialseg.storage.checkpoints import Description
from aerialseg.storage.seen_images import SeenImages, as_lists
from aerialseg.training.identity import parent_of


def describe_stage(
    experiment: Experiment,
    data: AerialSegDataModule,
    seen: SeenImages | None,
    fresh: Sequence[str],
) -> Description:
    """The description stored in the checkpoints of the stage.

    Args:
        experiment: The config.
        data: What is trained on.
        seen: The images that the network will have seen; ``None`` if unknown.
        fresh: The modules that nothing will have trained.
    """
    sources, several = data.sources.by_name.values(), data.sources.are_several
    reading, model = data.served, experiment.model
    kind: Any = None if reading.bands is None else asdict(data.contents.file_kind(reading))
    return Description(
        network={**experiment.model.network, "num_classes": len(data.classes)},
        classes=data.classes.to_mapping(),
        mean=for_bands(model.mean, reading.channels, "model.mean"),
        std=for_bands(model.std, reading.channels, "model.std"),
        image_min_size=data.image_min_size,
        stage=experiment.stage.name,
        run_name=experiment.run_name,
        parent=parent_of(experiment),
        original_min_size=data.contents.median_edge(),
        original_min_sizes=[each.contents.median_edge() for each in sources] if several else None,
        exif_orientation=reading.exif_orientation,
        bands=None if reading.bands is None else list(reading.bands),
        value_range=None if reading.ranges is None else [list(pair) for pair in reading.ranges],
        nodata=reading.nodata,
        file_kind=kind,
        trained_images=None if seen is None else as_lists(seen.trained),
        validated_images=None if seen is None else as_lists(seen.validated),
        window=None if data.window is None else list(data.window),
        fresh=list(fresh),
    )
