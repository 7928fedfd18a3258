"""An augmentation that would train on wrong pixels is found before training."""

import albumentations as A
import numpy as np
import pytest
import torch

from aerialseg.config.resolvers import register_shipped
from aerialseg.data.checks.augmentation_probe import check_augmentation
from aerialseg.errors import ConfigError
from aerialseg.training.instantiation import build
from helpers.composing import CONF, experiment

register_shipped(CONF.parent)


def problems(*transforms, num_classes=3, size=(64, 96), whole=A.Compose):
    try:
        check_augmentation(whole(list(transforms)), num_classes=num_classes, size=size)
    except ConfigError as error:
        return list(error.problems)
    return []


FILLS = "gives masks pixels of class 0 that were of another class; set fill_mask: 255"


@pytest.mark.parametrize(
    "transform",
    [
        A.Rotate(limit=45),
        A.Rotate(limit=45, p=0.01),
        A.Affine(translate_percent=0.2),
        A.PadIfNeeded(128, 128),
        A.CoarseDropout(fill_mask=0),
        A.Perspective(fit_output=True),
        A.ShiftScaleRotate(),
    ],
    ids=lambda transform: type(transform).__name__,
)
def test_a_fill_that_is_a_class_is_named_with_its_argument(transform):
    assert problems(transform) == [
        f"augmentation.transforms[0]: {type(transform).__name__} {FILLS}"
    ]


@pytest.mark.parametrize("classes", [1, 2, 3, 12, 255])
@pytest.mark.parametrize("value", [0, 1, 7])
def test_every_class_that_is_filled_with_is_found(classes, value):
    (line,) = problems(A.PadIfNeeded(128, 128, fill_mask=value), num_classes=classes)
    assert f"pixels of class {value} " in line
    assert line.endswith("; set fill_mask: 255")


def test_the_advice_is_followed():
    assert problems(A.Rotate(limit=45, fill_mask=255), A.PadIfNeeded(128, 128, fill_mask=255)) == []


def test_interpolated_ids_are_named_with_their_argument():
    (line,) = problems(A.Resize(50, 70, mask_interpolation=1))
    assert line.endswith("that were of another class; set mask_interpolation: 0")
    (line,) = problems(A.Rotate(limit=45, mask_interpolation=1))
    assert line.endswith("; set fill_mask: 255 and mask_interpolation: 0")


def test_what_the_network_does_is_left_out():
    assert problems(A.Normalize()) == [
        "augmentation.transforms[0]: Normalize returns float32 images instead of uint8; leave it "
        "out, the network normalises them by model.mean and model.std"
    ]
    assert problems(A.ToTensorV2()) == [
        "augmentation.transforms[0]: ToTensorV2 returns a Tensor instead of a uint8 array; leave "
        "it out, images become tensors after the augmentation"
    ]


def test_every_transform_is_tried_alone_at_any_depth():
    found = problems(
        A.HorizontalFlip(),
        A.OneOf([A.NoOp(), A.Sequential([A.Rotate(45, p=0.1)], p=0.1)], p=0.1),
        A.SomeOf([A.ToTensorV2(), A.NoOp()], n=1),
        A.OneOrOther(A.VerticalFlip(), A.Normalize()),
        A.RandomOrder([A.NoOp(), A.PadIfNeeded(128, 128)], n=1),
    )
    assert [line.partition(" returns")[0].partition(" gives")[0] for line in found] == [
        "augmentation.transforms[1].transforms[1].transforms[0]: Rotate",
        "augmentation.transforms[2].transforms[0]: ToTensorV2",
        "augmentation.transforms[3].transforms[1]: Normalize",
        "augmentation.transforms[4].transforms[1]: PadIfNeeded",
    ]


@pytest.mark.parametrize(
    "transforms",
    [
        [A.RandomCrop(32, 48)],
        [A.PadIfNeeded(128, 128, fill_mask=255), A.RandomCrop(128, 128)],
        [A.RandomResizedCrop((32, 32)), A.SquareSymmetry(), A.GaussNoise(), A.ToGray()],
        [A.OneOf([A.RandomCrop(32, 32), A.Resize(40, 40)]), A.RandomRotate90(), A.Transpose()],
        [A.SelectiveChannelTransform([A.GaussianBlur()], channels=[0])],
        [A.CoarseDropout(), A.GridDropout(), A.RandomShadow(), A.RandomFog(), A.Equalize()],
        [A.Rotate(45, border_mode=4), A.ElasticTransform(border_mode=4)],
        [A.Normalize(p=0)],
        [],
    ],
    ids=str,
)
def test_what_keeps_the_rules_passes(transforms):
    assert problems(*transforms) == []


@pytest.mark.parametrize("choice", ["drone", "none"])
@pytest.mark.parametrize("size", [(192, 256), (720, 1280), (17, 19)])
def test_our_own_choices_pass(choice, size):
    augmentation = build(experiment(f"augmentation={choice}").augmentation, "augmentation")
    check_augmentation(augmentation, num_classes=12, size=size)


class Broken(A.ImageOnlyTransform):
    def apply(self, img, **params):
        raise KeyError("no such\nlens")


class Grey(A.ImageOnlyTransform):
    def apply(self, img, **params):
        return img[..., :1]


class Halved(A.ImageOnlyTransform):
    def apply(self, img, **params):
        return np.ascontiguousarray(img[::2])


def test_transforms_of_others_that_raise_or_break_shapes():
    assert problems(Broken(), Grey()) == [
        "augmentation.transforms[0]: Broken raises KeyError: 'no such\\nlens'; correct its "
        "arguments or leave it out",
        "augmentation.transforms[1]: Grey returns images of shape (64, 96, 1) instead of "
        "(height, width, 3); leave it out",
    ]
    (line,) = problems(Halved())
    assert line.startswith("augmentation.transforms[0]: Halved returns images of shape (32, 96) ")


def test_a_crop_larger_than_the_image_raises():
    (line,) = problems(A.RandomCrop(512, 512))
    assert line.startswith("augmentation.transforms[0]: RandomCrop raises CropSizeError: ")


def test_a_combination_that_fails_is_found():
    (line,) = problems(A.OneOf([A.NoOp(), A.Resize(16, 16)]), A.RandomCrop(32, 32))
    assert line.startswith("augmentation: Compose raises CropSizeError: ")


def test_what_is_no_composition_is_refused():
    with pytest.raises(ConfigError, match="builds a HorizontalFlip; wanted albumentations"):
        check_augmentation(A.HorizontalFlip(), num_classes=3, size=(32, 32))


def test_it_leaves_the_augmentation_and_global_random_numbers_alone():
    augmentation = A.Compose([A.HorizontalFlip(p=0.3), A.OneOf([A.GaussNoise(p=0.2)], p=0.1)])
    before = repr(augmentation), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    check_augmentation(augmentation, num_classes=3, size=(32, 32))
    after = repr(augmentation), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    assert before == after
