"""The page of a comparison that never was: two networks that err at random on scenes of squares."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch

from aerialseg.metrics.boundary import band_only
from aerialseg.metrics.confusion import confusion_matrix
from aerialseg.metrics.scores import macro_dice
from aerialseg.report.comparison import Comparison, ImageDifference
from aerialseg.report.config_differences import config_differences
from aerialseg.report.job_tables import FinishedJob
from aerialseg.report.named_stages import NamedStage
from aerialseg.report.pages.compare_page import ComparePage
from aerialseg.report.pages.gallery import GalleryImage
from aerialseg.report.pages.inlined import mask_uri, photo_uri
from aerialseg.report.score_differences import PairedMatrices
from aerialseg.storage.run_folders import RunFolder
from helpers.finished_runs import stage_result
from helpers.run_pages import CLASSES, SIZE, drawn_image

NAMES = ("<b>one</b>/full", "two/full")


def compared_masks(images=30, seed=0, skills=(0.6, 0.8)):
    """For each image its pixels, truth and both predictions, all uint8."""
    rng = np.random.default_rng(seed)
    for _ in range(images):
        image, truth, first, _ = drawn_image(rng, skills[0])
        wrong = np.kron(rng.random((12, 16)) > skills[1], np.ones((4, 4), bool))
        right = np.where(truth == 255, 0, truth)
        yield image, truth, first, np.where(wrong, (right + 1) % 3, right).astype(np.uint8)


def compare_page(images=30, groups=10):
    """A page with so many images in so many groups."""
    found = list(compared_masks(images))
    names = [f"flight{number % groups}_{number:02}" for number in range(images)]
    whole, near, differences, gallery = [], [], [], []
    for name, (image, truth, *both) in zip(names, found, strict=True):
        target, band = torch.from_numpy(truth), torch.from_numpy(band_only(truth, 1))
        pair = [torch.from_numpy(each) for each in both]
        whole.append(torch.stack([confusion_matrix(p, target, len(CLASSES)) for p in pair]))
        near.append(torch.stack([confusion_matrix(p, band, len(CLASSES)) for p in pair]))
        a, b = ((mask == truth) & (truth != 255) for mask in both)
        labelled = (truth != 255).sum()
        dice = tuple(float(macro_dice(each)) for each in whole[-1])
        only = (float((a & ~b).sum() / labelled), float((b & ~a).sum() / labelled))
        differences.append(ImageDifference(name, dice, only))
        layers = dict(zip(("truth", "a", "b"), (truth, *both), strict=True))
        layers = {key: mask_uri(mask, CLASSES, SIZE) for key, mask in layers.items()}
        gallery.append(
            GalleryImage(
                name,
                SIZE,
                {"photo": photo_uri(image, SIZE), **layers},
                {"apart": sum(only), "a": dice[0], "b": dice[1], "gain": dice[1] - dice[0]},
                whole[-1][0],
                of_classes=False,
            )
        )
    by_group = [name.partition("_")[0] for name in names]
    paired = PairedMatrices(by_group, torch.stack(whole, dim=1), torch.stack(near, dim=1))
    comparison = Comparison(
        stages=tuple(stage(name) for name in NAMES),
        notes=["left out: 3 images that a was trained on"],
        place="data/squares",
        groups=groups,
        grouped_by="data.group_pattern=^(.+)_",
        scores=paired.scores(),
        classes=paired.of_classes(CLASSES.names),
        images=differences,
        settings=config_differences({"seed": 0, "run_name": "one"}, {"seed": 1, "run_name": "two"}),
        curves=curves(),
    )
    return ComparePage(comparison, CLASSES, gallery, [("a", ["run.py stage=full"])], "by hand")


def stage(name):
    job = FinishedJob("full", None, stage_result(stage="full", epochs=3))
    return NamedStage(name, (job,), (RunFolder(Path("runs") / name / "train"),))


def curves():
    """Three epochs of each, of which Dice and a loss were logged."""
    part = {
        "stage": "full",
        "epoch": [1, 2, 3],
        "val/dice": [0.2, 0.3, 0.4],
        "val/loss": [0.9, 0.8, 0.7],
    }
    return pd.concat([pd.DataFrame({**part, "run": side}) for side in "ab"], ignore_index=True)
