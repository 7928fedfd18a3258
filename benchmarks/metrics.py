"""The metrics of one batch, as in training and validation."""

from collections.abc import Iterator

import torch

from aerialseg.kernels.upsampling import upsample
from aerialseg.metrics.accumulators import SegmentationMetrics
from aerialseg.metrics.scores import macro_dice, mean_iou, pixel_accuracy
from benchmarks.command import run
from benchmarks.logits import NUM_CLASSES, batch
from benchmarks.plain.metrics import PlainMetrics
from benchmarks.row import Row
from benchmarks.timing import Setting, check, compare


def rows(setting: Setting) -> Iterator[Row]:
    """Metrics of a batch of 4: from class ids, and from logits as in a training step."""
    coarse, target = batch(setting)
    size = (target.shape[1], target.shape[2])
    labels, prediction = target.long(), upsample(coarse, size).argmax(1)
    plain = PlainMetrics(NUM_CLASSES, setting.device)
    ours = SegmentationMetrics(NUM_CLASSES).to(setting.device)

    ours.update(coarse, target)
    matrix = ours.compute().cpu()
    scores = torch.stack([pixel_accuracy(matrix), mean_iou(matrix), macro_dice(matrix)])
    wanted = torch.stack(plain(prediction, labels)).cpu()
    check(torch.allclose(scores.float(), wanted, atol=1e-5), "scores")

    narrow = prediction.to(torch.uint8)
    seconds = compare(
        lambda: plain(prediction, labels), lambda: ours.update(narrow, target), setting
    )
    yield Row("metrics of a batch, from class ids", *seconds, goal=30)
    seconds = compare(
        lambda: plain(upsample(coarse, size).argmax(1), labels),
        lambda: ours.update(coarse, target),
        setting,
    )
    reason = "the argmax of the upsampled logits takes most of our time"
    yield Row("metrics of a batch, from logits", *seconds, goal=30, reason=reason)


if __name__ == "__main__":
    run(rows)
