"""Reviews of regions that never were, whose images have names that addresses must quote."""

import numpy as np

from aerialseg.data.images.windows import Box
from aerialseg.data.labels.mask_folders import MaskFolders
from aerialseg.data.labels.review_record import FORMAT, ReviewedRegion, ReviewRecord
from aerialseg.data.labels.stored_masks import StoredMask
from aerialseg.report.review_folder import RegionCrops, write_review
from helpers.run_pages import CLASSES, drawn_image

IMAGES = {"a b": "no", "50%23 & c": "no", "île#1": "unknown", "<i>d</i>": "yes"}
"""Whether each image was trained on."""
COMMAND = "python run.py task=apply_labels task.review=somewhere"


def written_review(folder, images=IMAGES):
    """A review with one region of each image, written as an inspection does."""
    rng = np.random.default_rng(0)
    regions, crops = [], []
    for rank, (image, trained_on) in enumerate(images.items(), start=1):
        pixels, mask, predicted, _ = drawn_image(rng, 0.7)
        box = Box(top=4, left=8, height=16 + 4 * rank, width=40)
        region = ReviewedRegion(
            rank=rank,
            name=f"{rank}_{image}".replace("<", "(").replace(">", ")").replace("/", "-"),
            image=image,
            mask=f"masks/{image}.png",
            mask_sha256="0" * 64,
            mask_class=CLASSES.names[1],
            predicted_class=CLASSES.names[2],
            score=0.01 * rank,
            given=0.02,
            confidence=0.9,
            pixels=100 * rank,
            region=box,
            crop=box,
            trained_on=trained_on,
            judged_by=("runs/one/full/train/checkpoints/best.ckpt",),
        )
        regions.append(region)
        stored, other = (StoredMask(box.of(m), box.of(m), "PNG") for m in (mask, predicted))
        half = np.where(np.arange(box.width) < 20, stored.ids, other.ids)
        crops.append(
            RegionCrops(
                region=region,
                image=pixels,
                mask=box.of(mask),
                predicted=box.of(predicted),
                inside=box.of(mask) == 1,
                stored=stored,
                stored_predicted=other,
                stored_suggested=StoredMask(half, half, "PNG"),
            )
        )
    record = ReviewRecord(
        format=FORMAT,
        root=str(folder.parent),
        classes=CLASSES.to_mapping(),
        mask_format="index",
        mask_values=None,
        ignore_values=None,
        applies_orientation=False,
        max_megapixels=50.0,
        folders=MaskFolders("masks_corrected", ("",), ()),
        as_folders=None,
        masks=(),
        checkpoints={},
        regions=tuple(regions),
    )
    write_review(
        folder,
        record,
        lambda: iter(crops[::-1]),
        classes=CLASSES,
        subtitle=[str(folder.parent), f"{len(regions)} regions"],
        command=COMMAND,
    )
    return record
