"""Stages of a recipe trained by the plain formulations: data, step, loss and validation."""

from collections.abc import Iterator
from time import perf_counter
from typing import Any

import torch
from torch import Tensor
from torch.optim.lr_scheduler import PolynomialLR
from torch.utils.data import DataLoader

from aerialseg.config.schema import Experiment
from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.metrics.confusion import confusion_matrix
from aerialseg.metrics.scores import macro_dice, mean_iou
from aerialseg.models.module import SegmentationModule
from benchmarks.plain.data import PlainDataset, padded
from benchmarks.plain.metrics import PlainMetrics
from benchmarks.plain.step import PlainStep, labelled

Loader = DataLoader[tuple[Tensor, Tensor]]


class PlainStage:
    """One stage, as a loop over epochs of training and validation.

    Args:
        experiment: The stage's config, of which optimizer, schedule, batches and clipping are used.
        data: The data set, of which samples and classes are used.
        module: The source of weights, trainable parameters and class weights.

    Raises:
        ValueError: If the plain formulations know no such optimizer, windows or mapped classes.
    """

    def __init__(
        self, experiment: Experiment, data: AerialSegDataModule, module: SegmentationModule
    ) -> None:
        _check_known(experiment, data)
        trainer: Any = experiment.trainer
        names = ("lr", "momentum", "weight_decay", "nesterov")
        sgd = {name: experiment.optimizer.function[name] for name in names}
        self.step = PlainStep(module, sgd=sgd, clip=trainer["gradient_clip_val"])
        self.schedule = PolynomialLR(self.step.optimizer, experiment.stage.epochs, power=0.9)
        self.train_loader = _loader(experiment, data, training=True)
        self.val_loader = _loader(experiment, data, training=False)
        self.num_classes = len(data.classes)
        self.uncounted = 0.0
        """Seconds of validations that the scores for the comparison took."""

    def epoch(self) -> tuple[float, dict[str, float]]:
        """Trains and validates once; returns the validation loss and scores, as ``miou``."""
        self.step.network.train()
        for images, target in self.train_loader:
            self.step(images, target)
        self.schedule.step()
        return self.validate()

    @torch.no_grad()
    def validate(self) -> tuple[float, dict[str, float]]:
        """The loss and the scores of the validation images, counted as this project does.

        The plain metrics are computed too, as they would be without this project.
        """
        network = self.step.network.eval()
        metrics = PlainMetrics(self.num_classes, str(self.step.class_weights.device))
        matrix = torch.zeros(self.num_classes, self.num_classes, dtype=torch.int64)
        losses, counts = [], []
        for images, target in self.val_loader:
            logits, labels = labelled({"out": network(images)["out"]}, target)
            prediction = logits["out"].argmax(1)
            metrics(prediction, labels)
            losses.append(float(self.step.loss_of(logits["out"], labels)))
            counts.append(len(images))
            began = perf_counter()
            matrix += confusion_matrix(prediction, labels, self.num_classes)
            self.uncounted += perf_counter() - began
        loss = sum(a * b for a, b in zip(losses, counts, strict=True)) / sum(counts)
        return loss, {"miou": float(mean_iou(matrix)), "dice": float(macro_dice(matrix))}


def patient(losses: Iterator[float], patience: int) -> Iterator[float]:
    """The losses until none of the last ``patience`` was below all before."""
    best, waited = float("inf"), 0
    for loss in losses:
        yield loss
        best, waited = (loss, 0) if loss < best else (best, waited + 1)
        if waited >= patience:
            return


def _loader(experiment: Experiment, data: AerialSegDataModule, *, training: bool) -> Loader:
    """Shuffled and augmented batches of training images, or those of validation."""
    transforms: Any = experiment.augmentation["transforms"]
    samples = data.samples("train" if training else "val")
    dataset = PlainDataset(
        samples,
        augmented=training and bool(transforms),
        min_size=data.image_min_size,
        colours=data.classes.colours if experiment.data["mask_format"] == "colour" else (),
    )
    return DataLoader(
        dataset,
        data.batch_size,
        shuffle=training,
        # BatchNorm after global pooling cannot train on one image.
        drop_last=training and len(samples) % data.batch_size == 1,
        num_workers=data.num_workers,
        collate_fn=padded,
    )


def _check_known(experiment: Experiment, data: AerialSegDataModule) -> None:
    if experiment.optimizer.function["_target_"] != "torch.optim.SGD":
        raise ValueError("the plain formulations train with SGD only; set optimizer=sgd")
    if data.window is not None or experiment.data.get("map_classes"):
        raise ValueError("the plain formulations know no windows and no mapped classes; unset both")
