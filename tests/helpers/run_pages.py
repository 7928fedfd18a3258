"""The page of a run that never was: scenes of squares, and a network that errs at random."""

import numpy as np
import pandas as pd
import torch

from aerialseg.classes import ClassTable
from aerialseg.data.checks.seen_places import SeenPlace
from aerialseg.metrics.bootstrap import sum_by_group
from aerialseg.metrics.boundary import band_only
from aerialseg.metrics.calibration import count_confidence
from aerialseg.metrics.confusion import confusion_matrix
from aerialseg.report.job_tables import FinishedJob
from aerialseg.report.leakage import Leakage
from aerialseg.report.pages.gallery import GalleryImage, layers_of
from aerialseg.report.pages.run_page import RunPage
from aerialseg.report.run_scores import ImageMatrices, scores_of
from aerialseg.report.stage_verdicts import verdicts
from helpers.finished_runs import stage_result

# A name that would be markup, and one that would end a script.
CLASSES = ClassTable(
    ("ground", "<b>roof</b>", "</script>", "water"),
    ((120, 110, 90), (200, 60, 60), (240, 200, 40), (40, 90, 200)),
)
SIZE = (48, 64)


def drawn_image(rng, skill):
    """An image, its truth, a prediction that is right with the given share, and confidence."""
    truth = np.zeros(SIZE, np.uint8)
    for name in rng.permutation([1, 2]):
        top, left = rng.integers(0, SIZE[0] - 16), rng.integers(0, SIZE[1] - 16)
        truth[top : top + 16, left : left + 16] = name
    truth[:4, :4] = 255
    image = np.where(truth == 255, 0, truth)[..., None] * 60 + rng.integers(0, 40, (*SIZE, 3))
    wrong = np.kron(rng.random((12, 16)) > skill, np.ones((4, 4), bool))
    prediction = np.where(wrong, (truth + 1) % 3, np.where(truth == 255, 0, truth))
    confidence = np.where(wrong, 120, 230)
    return image.astype(np.uint8), truth, prediction.astype(np.uint8), confidence.astype(np.uint8)


def run_page(images=30, seed=0, stages=("head", "full"), skills=(0.5, 0.8), leakage=None):
    """A page with so many images, three of a group, after stages of growing skill."""
    rng = np.random.default_rng(seed)
    names = [f"flight{number // 3}_{number}" for number in range(images)]
    groups = [name.partition("_")[0] for name in names]
    by_stage, gallery, near, counts = {stage: [] for stage in stages}, [], [], 0
    for name in names:
        for stage, skill in zip(stages, skills, strict=True):
            image, truth, prediction, confidence = drawn_image(rng, skill)
            predicted, target = torch.from_numpy(prediction), torch.from_numpy(truth)
            by_stage[stage].append(confusion_matrix(predicted, target, len(CLASSES)))
        band = torch.from_numpy(band_only(truth, 1))
        near.append(confusion_matrix(predicted, band, len(CLASSES)))
        counts = counts + count_confidence(confidence, prediction, truth)
        layers = layers_of(image, truth, prediction, confidence, classes=CLASSES, size=SIZE)
        matrix = by_stage[stages[-1]][-1]
        seen_in = "" if leakage is None else leakage.seen_in(name)
        scores = scores_of(matrix, near[-1])
        gallery.append(GalleryImage(name, SIZE, layers, scores, matrix, seen_in=seen_in))
    matrices = {stage: torch.stack(each) for stage, each in by_stage.items()}
    jobs = [
        FinishedJob(stage, stages[index - 1] if index else None, stage_result(stage=stage))
        for index, stage in enumerate(stages)
    ]
    results = ImageMatrices(
        names, groups, matrices[stages[-1]], torch.stack(near), np.asarray(counts), (1, 1)
    )
    curves = pd.DataFrame(
        {
            "stage": [stage for stage in stages for _ in range(3)],
            "epoch": range(1, 3 * len(stages) + 1),
            "val/dice": np.linspace(0.2, 0.8, 3 * len(stages)),
            "train/loss": np.linspace(1.0, 0.5, 3 * len(stages)),
        }
    )
    return RunPage(
        run_name="squares",
        subtitle=["a network of <i>squares</i>"],
        classes=CLASSES,
        stages=verdicts(jobs, [sum_by_group(matrices[job.name], groups) for job in jobs]),
        curves=curves,
        results=results,
        leakage=leakage,
        grouped_by="data.group_pattern=^(.+)_",
        protocol="single scale",
        gallery=gallery,
        details=[("seed", "0")],
        commands=["run.py task=curriculum"],
        footer="made by hand",
    )


def leaking_page(images, count):
    """The page of so many images, of which the first ones show what training has seen."""
    names = run_page(images).results.images
    places = {name: SeenPlace(f"t{name}", 0.5, is_same=False) for name in names[:count]}
    return run_page(images, leakage=Leakage(names, places))
