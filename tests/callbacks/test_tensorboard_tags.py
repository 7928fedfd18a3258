import pytest
import torch

from aerialseg.callbacks.tensorboard_tags import tag_of
from aerialseg.metrics.scores import summarise


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("val/dice", "val/dice"),
        ("val/dice_micro", "val/dice_micro"),
        ("train/miou_absent_one", "train/miou_absent_one"),
        ("train/loss", "train/loss"),
        ("val/iou_person", "val_iou/person"),
        ("ema/dice_low_vegetation", "ema_dice/low_vegetation"),
        ("lr-SGD/weights", "learning_rate/weights"),
        ("lr-AdamW/stem..body/weights", "learning_rate/stem..body/weights"),
        ("lr-AdamW", "learning_rate/weights"),
        ("train/memory_mb", "train/memory_mb"),
        ("mine", "mine"),
    ],
)
def test_sections_are_short_and_no_name_is_lost(name, tag):
    assert tag_of(name) == tag


def test_every_score_of_a_class_is_in_the_section_of_its_kind():
    names = ("person", "dice", "iou", "low vegetation")
    scores = summarise(torch.eye(4, dtype=torch.int64), names)
    tags = {tag_of(f"val/{score}") for score in scores}
    assert len(tags) == len(scores)
    keys = {"person", "dice", "iou", "low_vegetation"}
    for kind in ("val_iou", "val_dice"):
        assert {tag.partition("/")[2] for tag in tags if tag.startswith(f"{kind}/")} == keys
    assert len([tag for tag in tags if tag.startswith("val/")]) == 6
