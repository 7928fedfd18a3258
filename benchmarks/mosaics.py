"""Do tiles leave seams, and what do they cost? On large labelled images, with a trained network.

For each overlap of tiles, the table says

- seams: how often the class changes from a pixel to the next where a tile begins or ends, as a
  multiple of how often it does elsewhere;
- shifted: the share of pixels that keep their class if all tiles are shifted by half of one;
- mIoU of all images together, of which the last row has the same network on whole images;
- network: seconds of the network alone, on the same tiles, ready in memory;
- in all: a multiple of that, with reading, cutting, blending and upsampling.

Then how well wrong pixels are told from right ones (area under the ROC curve, 0.5 is chance) by
the margin between the two likeliest classes, and by whether shifted tiles say another class. ::

    python -m benchmarks.mosaics --checkpoint FILE IMAGE MASK [IMAGE MASK ...]

Masks hold class ids, 255 where there is none.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torchmetrics.functional.classification import binary_auroc

from aerialseg.data.images.raster_rows import opened_rows
from aerialseg.data.images.rows import HeldImage
from aerialseg.inference.predictor import Predictor
from aerialseg.inference.tiles.layout import TileLayout
from aerialseg.inference.tiles.prediction import predict_strips
from aerialseg.inference.tiles.tiling import tiling_as_trained
from aerialseg.metrics.confusion import confusion_matrix
from aerialseg.metrics.scores import mean_iou
from benchmarks.results import cpu_name

_OVERLAPS = (0.0, 0.125, 0.25, 0.5)

Mask = npt.NDArray[np.uint8]


@dataclass
class Measured:
    """Sums over images, for one way to predict.

    Attributes:
        matrix: The confusion matrix.
        at_seams: Changes and pairs of pixels where a tile begins or ends.
        elsewhere: Those of all other pixels.
        same: Pixels that keep their class when tiles are shifted, and all.
        network: Seconds of the network alone.
        in_all: Seconds from file to mask.
    """

    matrix: torch.Tensor = field(default_factory=lambda: torch.zeros(()))
    at_seams: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(2, np.int64))
    elsewhere: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(2, np.int64))
    same: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(2, np.int64))
    network: float = 0.0
    in_all: float = 0.0

    @property
    def seams(self) -> float:
        """How much more often classes change at seams."""
        if not self.at_seams[1]:
            return float("nan")
        (changes, pairs), (others, all_others) = self.at_seams, self.elsewhere
        return float(changes / pairs / (others / all_others))


class Timed:
    """A network that keeps the seconds it takes and the tiles it gets."""

    def __init__(self, network: Callable[[Mask], torch.Tensor]) -> None:
        self._network, self.seconds = network, 0.0

    def __call__(self, tiles: Mask) -> torch.Tensor:
        """The network's output for tiles."""
        began = perf_counter()
        logits = self._network(tiles)
        self.seconds += perf_counter() - began
        return logits


def measured(predictor: Predictor, image: Path, truth: Mask, overlap: float, to: Measured) -> None:
    """Adds an image to the sums."""
    tiling = tiling_as_trained(predictor.description, overlap=overlap)
    network = Timed(predictor.batch_logits)
    began = perf_counter()
    with opened_rows(image, predictor.reading) as rows:
        layout = tiling.layout(rows.size)
        mask = np.concatenate([strip.mask for strip in predict_strips(rows, layout, network)])
    to.in_all += perf_counter() - began
    to.network += network.seconds
    to.matrix = to.matrix + _matrix(predictor, mask, truth)
    _add_changes(mask, layout, to)
    half = [edge // 2 for edge in layout.tile_pixels]
    with opened_rows(image, predictor.reading) as rows:
        whole = rows.read(0, rows.size[0]).image
    rest = np.ascontiguousarray(whole[half[0] :, half[1] :])
    strips = predict_strips(HeldImage(rest, None), tiling.layout(rest.shape[:2]), network)
    shifted = np.concatenate([strip.mask for strip in strips])
    agree = shifted == mask[half[0] :, half[1] :]
    to.same += (int(agree.sum()), agree.size)


def _matrix(predictor: Predictor, mask: Mask, truth: Mask) -> torch.Tensor:
    number = len(predictor.classes)
    return confusion_matrix(torch.from_numpy(mask), torch.from_numpy(truth), number)


def _add_changes(mask: Mask, layout: TileLayout, to: Measured) -> None:
    """Counts changes of class between neighbours, by rows and by columns."""
    for axis, (starts, tile) in enumerate(
        zip((layout.tops, layout.lefts), layout.tile, strict=True)
    ):
        changes = (np.diff(mask.astype(np.int16), axis=axis) != 0).sum(axis=1 - axis)
        edges = {start * layout.block for start in starts}
        edges |= {(start + tile) * layout.block for start in starts}
        is_seam = np.zeros(len(changes), bool)
        is_seam[[edge - 1 for edge in edges if 0 < edge <= len(changes)]] = True
        pixels = mask.shape[1 - axis]
        to.at_seams += (int(changes[is_seam].sum()), int(is_seam.sum()) * pixels)
        to.elsewhere += (int(changes[~is_seam].sum()), int((~is_seam).sum()) * pixels)


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table."""
    options = argparse.ArgumentParser(description="seams and costs of tiles")
    options.add_argument("--checkpoint", type=Path, required=True, metavar="FILE")
    options.add_argument("files", nargs="+", type=Path, metavar="IMAGE MASK")
    chosen = options.parse_args(arguments)
    Image.MAX_IMAGE_PIXELS = None
    pairs = list(zip(chosen.files[::2], chosen.files[1::2], strict=True))
    truths = [np.array(Image.open(mask)) for _, mask in pairs]
    predictor = Predictor(chosen.checkpoint)
    print(f"{cpu_name()}; {torch.get_num_threads()} threads; {len(pairs)} images\n")
    print("| overlap | seams | shifted | mIoU | network | in all |\n|---|---|---|---|---|---|")
    for overlap in _OVERLAPS:
        found = Measured()
        for (image, _), truth in zip(pairs, truths, strict=True):
            measured(predictor, image, truth, overlap, found)
        miou = float(mean_iou(found.matrix))
        print(
            f"| {overlap:g} | {found.seams:.3f} | {found.same[0] / found.same[1]:.4f} | {miou:.4f} "
            f"| {found.network:.1f} s | {found.in_all / found.network:.2f} x |",
            flush=True,
        )
    _print_whole(predictor, pairs, truths)
    _print_unsure(predictor, pairs, truths)


def _print_whole(
    predictor: Predictor, pairs: Sequence[tuple[Path, Path]], truths: Sequence[Mask]
) -> None:
    """The last row: the network on whole images, resized."""
    whole = torch.zeros(())
    for (image, _), truth in zip(pairs, truths, strict=True):
        with opened_rows(image, predictor.reading) as rows:
            pixels = rows.read(0, rows.size[0]).image
        whole = whole + _matrix(predictor, predictor.predict(pixels), truth)
    print(f"| whole images | | | {float(mean_iou(whole)):.4f} | | |")


def _print_unsure(
    predictor: Predictor, pairs: Sequence[tuple[Path, Path]], truths: Sequence[Mask]
) -> None:
    """What tells wrong pixels best, by every seventh pixel with a label."""
    tiling = tiling_as_trained(predictor.description)
    wrong: list[npt.NDArray[np.bool_]] = []
    unsure: list[npt.NDArray[np.int64]] = []
    differs: list[npt.NDArray[np.bool_]] = []
    for (image, _), truth in zip(pairs, truths, strict=True):
        passes = []
        for is_shifted in (False, True):
            with opened_rows(image, predictor.reading) as rows:
                layout = tiling.layout(rows.size)
                layout = layout.shifted if is_shifted else layout
                strips = predict_strips(rows, layout, predictor.batch_logits, margins=True)
                passes.append([(strip.mask, strip.margin) for strip in strips])
        mask, margin = (np.concatenate(parts) for parts in zip(*passes[0], strict=True))
        shifted = np.concatenate([part for part, _ in passes[1]])
        known = truth < len(predictor.classes)
        wrong.append((mask != truth)[known][::7])
        unsure.append(254 - margin.astype(int)[known][::7])
        differs.append((mask != shifted)[known][::7])
    is_wrong = torch.from_numpy(np.concatenate(wrong))
    by_margin = binary_auroc(torch.from_numpy(np.concatenate(unsure) / 254), is_wrong.long())
    by_shift = binary_auroc(torch.from_numpy(np.concatenate(differs)).float(), is_wrong.long())
    share = is_wrong.float().mean()
    print(f"\nwrong: {share:.4f}; by margin {by_margin:.4f}, by shift {by_shift:.4f}")


if __name__ == "__main__":
    main()
