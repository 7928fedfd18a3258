"""The YAML files of data and augmentation fit the code they name."""

import inspect
import os
import warnings
from pathlib import Path

import pytest
import yaml
from hydra import compose, initialize_config_dir
from hydra.utils import get_method, instantiate
from omegaconf import OmegaConf

import aerialseg.config.resolvers  # noqa: F401 - what the files interpolate with
from aerialseg.classes import ClassTable
from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.data.layouts import folders

CONF = Path(__file__).parents[2] / "conf"
BASE = CONF / "data" / "_base.yaml"  # what the others start from
DATA = sorted(path for path in BASE.parent.glob("*.yaml") if path != BASE)
JOINT = BASE.parent / "joint.yaml"  # made of the others
AUGMENTATIONS = sorted((CONF / "augmentation").glob("*.yaml"))


@pytest.mark.parametrize(
    "path", [path for path in DATA if path != JOINT], ids=lambda path: path.stem
)
def test_every_key_is_an_argument(path):
    own = yaml.safe_load(path.read_text())
    assert own.pop("defaults")[0] == "_base"
    content = yaml.safe_load(BASE.read_text()) | own
    assert content.pop("_target_") == "aerialseg.data.datamodule.AerialSegDataModule"
    given = {*content, "classes", "augmentation"}
    inspect.signature(AerialSegDataModule).bind(**dict.fromkeys(given))
    layout = content["layout"]
    assert layout.pop("_partial_") is True
    function = get_method(layout.pop("_target_"))
    inspect.signature(function).bind("root", "cache_dir", **layout)


def test_every_key_of_several_data_sets_is_an_argument():
    content = yaml.safe_load(JOINT.read_text())
    inspect.signature(get_method(content.pop("_target_"))).bind(**content)


@pytest.mark.parametrize("path", [*DATA, *AUGMENTATIONS], ids=lambda path: path.stem)
def test_the_first_line_says_the_command(path):
    first = path.read_text().splitlines()[0]
    assert first.startswith("# ")
    assert f"python run.py {path.parent.name}={path.stem}" in first


@pytest.mark.parametrize(
    ("name", "number"), [("aeroscapes", 12), ("dubai", 6)], ids=["aeroscapes", "dubai"]
)
def test_class_tables_are_sound(name, number):
    assert len(ClassTable.read(CONF / "data/classes" / f"{name}.yaml")) == number


@pytest.mark.parametrize("path", AUGMENTATIONS, ids=lambda path: path.stem)
def test_augmentations_are_built_without_a_warning(path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # albumentations only warns of an argument it does not know
        with initialize_config_dir(str(CONF), version_base="1.3"):
            instantiate(compose("config", [f"augmentation={path.stem}"]).augmentation)


def test_drone_is_the_originals():
    drone = instantiate(OmegaConf.load(CONF / "augmentation/drone.yaml"))
    jitter, equalize, flip, affine = drone.transforms
    names = [type(transform).__name__ for transform in drone.transforms]
    assert names == ["ColorJitter", "Equalize", "HorizontalFlip", "Affine"]
    assert tuple(jitter.contrast) == tuple(jitter.saturation) == (1.0, 1.0)
    assert jitter.brightness[0] < 1 < jitter.brightness[1]
    assert jitter.hue[0] < 0 < jitter.hue[1]
    assert 0 < equalize.p < 1
    assert flip.p == 0.5
    assert affine.p == 0.95
    assert tuple(affine.rotate) == (-10, 10)
    assert affine.scale == {"x": (0.9, 1.4), "y": (0.9, 1.4)}
    assert affine.translate_percent == {"x": (-0.2, 0.2), "y": (-0.2, 0.2)}
    assert (affine.interpolation, affine.mask_interpolation) == (1, 0)
    assert affine.fill_mask == 255
    assert affine.keep_ratio is True


def _data(*overrides):
    with initialize_config_dir(str(CONF), version_base="1.3"):
        data = compose("config", overrides=list(overrides)).data
    return OmegaConf.to_container(data, resolve=True)


def test_folders_take_their_classes_from_the_root_or_from_a_table():
    own = _data("data=folders", "data.root=/some/where")
    assert own["classes"] == "/some/where/classes.yaml"
    table = _data("data=folders", "data/classes=dubai")
    assert next(iter(table["classes"])) == "building"
    assert next(iter(_data("data=kaggle")["classes"])) == "background"


@pytest.mark.skipif("AERIALSEG_REAL_DATA" not in os.environ, reason="needs real images")
def test_satellite_tiles_of_odd_sizes_are_split_by_tile(tmp_path):
    root = Path(os.environ["AERIALSEG_REAL_DATA"]) / "dubai72"
    classes = yaml.safe_load((CONF / "data/classes/dubai.yaml").read_text())
    module = AerialSegDataModule(
        root,
        lambda root, cache_dir: folders(root, cache_dir, images="imgs"),
        classes=classes,
        cache_dir=tmp_path,
        image_min_size=128,
        batch_size=8,
        num_workers=0,
        group_pattern=r"^(tile\d+)_",
    )
    tiles = [{sample.id[:5] for sample in module.samples(split)} for split in ("train", "val")]
    assert tiles[0].isdisjoint(tiles[1])
    assert sum(len(batch["id"]) for batch in module.val_dataloader()) == 9 * len(tiles[1])
    assert (module.counts_of("train").sum(axis=0) > 0).all()
