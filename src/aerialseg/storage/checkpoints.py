"""Checkpoints: written atomically, read without running anything, described by themselves."""

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, cast, get_type_hints

from annotated_types import Ge, Gt, Le, Len
from pydantic import TypeAdapter, ValidationError
from torch import Tensor

from aerialseg.errors import CheckpointError
from aerialseg.storage.atomic_files import free_space
from aerialseg.storage.sealed_tensors import load_safely, save_sealed
from aerialseg.storage.seen_images import SeenImages
from aerialseg.storage.system_calls import move_file

logger = logging.getLogger(__name__)

FORMAT = 1
"""Raised when a reader of today could misunderstand a checkpoint of tomorrow."""

_KEY = "aerialseg"
_PREFIX = "network."
_OTHER_ORIGIN = "get it again, or use the release of aerialseg that wrote it"

_Level: TypeAlias = Annotated[int, Ge(0), Le(255)]
_RGB = Len(3, 3)
_CHANNELS = Len(1, 64)


@dataclass(frozen=True)
class Description:
    """What a checkpoint says about itself: all that inference needs besides the tensors.

    Attributes:
        network: The ``_target_`` of the builder and its arguments, class count included.
        classes: Class table, name to RGB, in the order of the ids.
        mean: Mean of each channel, RGB or ``bands``, on the 0 to 1 scale.
        std: Standard deviation of each channel on the 0 to 1 scale.
        image_min_size: Smaller edge, in pixels, that images are resized to; ``None`` for as is.
        stage: Name of the stage that trained it.
        run_name: Name of the run it belongs to.
        parent: Path and sha256 of the checkpoint it started from, or what weights it began with.
        epoch: Epochs finished when it was taken.
        metrics: Logged values at that moment, such as ``val/dice``.
        exif_orientation: What became of the EXIF orientation of training images; ``None`` if they
            had none, or in a checkpoint from before this was asked.
        trained_images: Ids by digest of the images that the network was trained on, in this stage
            and in all that led to it; ``None`` if unknown, as in older checkpoints.
        validated_images: Likewise, those that this stage validated on.
        original_min_size: Median, in pixels, of the smaller edges of the training images before
            they were resized; ``None`` in older checkpoints. Of windows, where there are some.
        bands: Which bands of the files were trained on, the first being 1; ``None`` for 8-bit RGB.
        value_range: For each band the values that became 0 and 255; ``None`` for bytes.
        nodata: The value of pixels without data, as typed; ``None`` for what files say.
        file_kind: What the files held where bands were named: ``bands`` how many, and ``dtype``.
        original_min_sizes: Medians as in ``original_min_size`` of each of several data sets.
        window: Height and width in pixels of the windows that larger training images were served
            in; ``None`` if they were served whole.
        fresh: Modules of the network whose tensors are random, because neither weights nor a stage
            gave them others; ``None`` if unknown, as in older checkpoints.
        averaged_weights: Whether the network is the average of what training has come to; ``None``
            if training kept no average.
    """

    network: dict[str, Any]
    classes: dict[str, Annotated[list[_Level], _RGB]]
    mean: Annotated[list[float], _CHANNELS]
    std: Annotated[list[Annotated[float, Gt(0)]], _CHANNELS]
    image_min_size: Annotated[int, Ge(1)] | None
    stage: str
    run_name: str
    parent: dict[str, str | None]
    epoch: Annotated[int, Ge(0)] = 0
    metrics: dict[str, float] = field(default_factory=dict)
    exif_orientation: Literal["apply", "ignore"] | None = None
    trained_images: dict[str, list[str]] | None = None
    validated_images: dict[str, list[str]] | None = None
    original_min_size: Annotated[int, Ge(1)] | None = None
    original_min_sizes: list[Annotated[int, Ge(1)]] | None = None
    window: Annotated[list[Annotated[int, Ge(1)]], Len(2, 2)] | None = None
    bands: Annotated[list[Annotated[int, Ge(1)]], _CHANNELS] | None = None
    value_range: list[Annotated[list[float], Len(2, 2)]] | None = None
    nodata: float | None = None
    file_kind: dict[Literal["bands", "dtype"], int | str] | None = None
    fresh: list[str] | None = None
    averaged_weights: bool | None = None

    @property
    def channels(self) -> int:
        """The channels of the images."""
        return 3 if self.bands is None else len(self.bands)

    @property
    def seen(self) -> SeenImages | None:
        """The images that the network has seen; ``None`` if unknown."""
        if self.trained_images is None or self.validated_images is None:
            return None
        return SeenImages(self.trained_images, self.validated_images)


def describe(checkpoint: dict[str, Any], description: Description) -> None:
    """Puts a description into a checkpoint that is about to be written."""
    checkpoint[_KEY] = {"format": FORMAT, **asdict(description)}


def write_checkpoint(path: Path, checkpoint: Mapping[str, Any]) -> None:
    """Writes a checkpoint atomically, and its sha256 beside it for ``sha256sum -c``.

    Raises:
        AerialsegError: If there is not enough room for it or it cannot be written; whatever was
            at ``path`` is still there then.
    """
    check_room(path, tensor_bytes(checkpoint))
    save_sealed(path, dict(checkpoint))


def check_room(path: Path, needed: int) -> None:
    """Makes sure that a disk has room for so many bytes.

    Raises:
        CheckpointError: With both sizes.
    """
    free = free_space(path)
    if free < needed:
        raise CheckpointError(
            f"{path}: needs {needed / 1e6:.0f} MB, but {free / 1e6:.0f} MB are free on its disk; "
            "make room there"
        )


def tensor_bytes(value: object) -> int:
    """How much the tensors in nested plain data take, about as much as their file will."""
    if isinstance(value, Tensor):
        return value.nbytes
    if isinstance(value, Mapping):
        return sum(tensor_bytes(item) for item in value.values())
    return sum(map(tensor_bytes, value)) if isinstance(value, list | tuple) else 0


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Reads one of our checkpoints onto the CPU; nothing in the file is ever executed.

    Raises:
        CheckpointError: If the file is missing, damaged, holds more than tensors and plain data,
            or was not written by this project.
    """
    checkpoint = load_safely(path)
    if not (
        isinstance(checkpoint, dict)
        and isinstance(checkpoint.get(_KEY), dict)
        and _is_state(checkpoint.get("state_dict"))
    ):
        raise CheckpointError(
            f"{path}: is not a checkpoint of aerialseg; weights of other projects can start a "
            "run instead: stage=head model.weights=PATH"
        )
    return cast("dict[str, Any]", checkpoint)


def find_snapshot(folder: Path) -> Path | None:
    """The checkpoint from which a run can go on: ``last.ckpt``, unless that is damaged.

    Then it is the newer of ``previous.ckpt``, the one before it, and ``best.ckpt``, which holds
    as much. The damaged file is kept as ``damaged.ckpt`` and one line says so.

    Returns:
        The path; ``None`` if there is no checkpoint at all.

    Raises:
        CheckpointError: If there are checkpoints but none can be read.
    """
    last, *others = (folder / f"{name}.ckpt" for name in ("last", "previous", "best"))
    try:
        read_checkpoint(last)
        return last
    except CheckpointError as error:
        problem, _, _ = str(error).partition("; ")  # what follows is advice for other files
    steps = {path: _global_step(path) for path in others}
    best = max(steps, key=lambda path: steps[path])
    if steps[best] < 0:
        if not any(path.exists() for path in (last, *others)):
            return None
        raise CheckpointError(
            f"{problem}; there is no other to go on from: existing=overwrite trains anew"
        )
    logger.warning("%s; going on from %s", problem, best.name)
    if last.exists():
        move_file(last, last.with_name("damaged.ckpt"))
    return best


def _global_step(path: Path) -> int:
    """Optimizer steps before a checkpoint was taken; -1 if it cannot be read."""
    try:
        return int(read_checkpoint(path).get("global_step", -1))
    except CheckpointError:
        return -1


def read_description(checkpoint: Mapping[str, Any], path: Path) -> Description:
    """The description inside a checkpoint.

    Raises:
        CheckpointError: If it was written by a newer release, lacks a part, or has one that is not
            what it should be.
    """
    added = {part.name: None for part in fields(Description) if part.default is None}
    content = {**added, **checkpoint[_KEY]}  # older releases lack what was added later
    found = content.pop("format", None)
    if found != FORMAT:
        raise CheckpointError(
            f"{path}: has checkpoint format {found}, this release reads format {FORMAT}; "
            "use the release of aerialseg that wrote it"
        )
    if missing := sorted(_PARTS.keys() - content.keys()):
        raise CheckpointError(
            f"{path}: its description lacks {', '.join(missing)}; {_OTHER_ORIGIN}"
        )
    parts = {name: _checked_part(content[name], name, path) for name in _PARTS}
    description = Description(**parts)
    for name in ("mean", "std", "value_range"):
        found = parts[name]
        if found is not None and len(found) != description.channels:
            raise CheckpointError(
                f"{path}: its description is damaged: {name}: has {len(found)} numbers for "
                f"{description.channels} channels; {_OTHER_ORIGIN}"
            )
    return description


def _checked_part(value: object, name: str, path: Path) -> Any:  # noqa: ANN401 - as declared
    """One part of a description, checked against its type."""
    try:
        return _PARTS[name].validate_python(value, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, (name, *first["loc"])))
        raise CheckpointError(
            f"{path}: its description is damaged: {place}: {first['msg']}; {_OTHER_ORIGIN}"
        ) from None


_PARTS: dict[str, TypeAdapter[Any]] = {
    name: TypeAdapter(hint)
    for name, hint in get_type_hints(Description, include_extras=True).items()
}


def network_state(checkpoint: Mapping[str, Any]) -> dict[str, Tensor]:
    """The network's tensors under torchvision's own names, without our prefix."""
    state = checkpoint["state_dict"]
    return {k.removeprefix(_PREFIX): v for k, v in state.items() if k.startswith(_PREFIX)}


def _is_state(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(name, str) and isinstance(tensor, Tensor) for name, tensor in value.items()
    )
