"""The identity of a run, which decides whether it may be resumed."""

import pytest

from aerialseg.training.identity import run_identity
from helpers.composing import experiment


def _identity(*overrides):
    return run_identity(experiment("model.weights=none", *overrides), "0" * 64, "1" * 64)


@pytest.mark.parametrize(
    "override",
    [
        "data.root=elsewhere",
        "data.num_workers=7",
        "+data.mask_memory_mb=0",
        "+data.max_megapixels=500",
        "paths.cache_dir=c",
    ],
)
def test_paths_and_workers_are_not_part_of_the_identity(override):
    assert _identity(override) == _identity()


@pytest.mark.parametrize("override", ["data.split_seed=1", "data.layout.split=random"])
def test_what_decides_the_split_is_covered_by_the_fingerprint_of_the_data(override):
    """So runs from before these settings can be resumed, and official splits have no seed."""
    assert _identity("data=folders", override) == _identity("data=folders")


def test_frozen_random_layers_are_as_in_older_runs():
    assert _identity()["stage"]["fresh"] == "learn"
    assert "fresh" not in _identity("stage.fresh=freeze")["stage"]


def test_renamed_classes_are_part_of_the_identity():
    assert _identity("stage.renamed_classes={roof: building}") != _identity()


@pytest.mark.parametrize(
    "override", ["compute.custom_gradients=false", "compute.tf32=false", "compute.threads=1"]
)
def test_how_the_same_is_computed_is_no_part_of_a_run(override):
    assert _identity(override) == _identity()


def test_an_average_is_part_of_a_run_and_none_is_as_in_older_runs():
    assert "ema" not in _identity()
    averaged = _identity("callbacks=ema")
    assert averaged["ema"]["horizon"] == 0.05
    assert _identity("callbacks=ema", "callbacks.ema.decay=0.9") != averaged


@pytest.mark.parametrize("loss", ["cross_entropy", "dice_cross_entropy"])
def test_label_smoothing_is_part_of_a_run_and_none_is_as_in_older_runs(loss):
    plain = _identity(f"loss={loss}")
    assert "label_smoothing" not in plain["loss"]["function"]
    smoothed = _identity(f"loss={loss}", "loss.function.label_smoothing=0.1")
    assert smoothed["loss"]["function"]["label_smoothing"] == 0.1


@pytest.mark.parametrize("override", ["data.batch_size=3", "data.image_min_size=100", "seed=5"])
def test_settings_that_affect_training_are_part_of_the_identity(override):
    assert _identity(override) != _identity()


def test_weights_are_identified_by_content_not_by_path(tmp_path):
    files = [tmp_path / name for name in ("a.pth", "b.pth", "c.pth")]
    for file, content in zip(files, (b"same", b"same", b"other"), strict=True):
        file.write_bytes(content)
    first, second, third = (_identity(f"model.weights={file}") for file in files)
    assert first == second
    assert first != third


def test_windows_are_part_of_a_run_and_none_are_as_in_older_runs():
    plain = _identity("data=folders")
    assert "window" not in plain["data"]
    assert _identity("data=folders", "data.window=512") != plain
    assert _identity("data=folders", "+data.window_cache_gb=1") == plain
    square = _identity("data=folders", "data.window=[512,512]")
    assert square == _identity("data=folders", "data.window=512")


@pytest.mark.parametrize("data", [["data=folders"], ["data=joint", "data.sets=[demo,folders]"]])
def test_crops_and_rare_classes_are_part_of_a_run_and_none_are_as_in_older_runs(data):
    plain = _identity(*data)
    assert not {"crop_size", "crop_scale", "rare_classes"} & set(plain["data"])
    assert _identity(*data, "+data.crop_scale=[0.2,0.3]", "+data.rare_classes=0") == plain
    square = _identity(*data, "+data.crop_size=64")
    assert square == _identity(*data, "+data.crop_size=[64,64]", "+data.crop_scale=[0.45,1.0]")
    assert _identity(*data, "+data.crop_size=64", "+data.crop_scale=[0.2,1.0]") != square != plain
    assert _identity(*data, "+data.rare_classes=0.5") != plain


@pytest.mark.parametrize("data", [["data=folders"], ["data=joint", "data.sets=[demo,folders]"]])
def test_pasting_is_part_of_a_run_and_so_is_a_temperature_that_is_used(data):
    plain = _identity(*data)
    assert not {"paste_rare", "rare_class_temperature"} & set(plain["data"])
    assert _identity(*data, "+data.paste_rare=0", "+data.rare_class_temperature=0.1") == plain
    for share in ("+data.paste_rare=0.5", "+data.rare_classes=0.5"):
        used = _identity(*data, share)
        assert used != plain
        assert "rare_class_temperature" not in used["data"]
        assert _identity(*data, share, "+data.rare_class_temperature=0.01") == used
        assert _identity(*data, share, "+data.rare_class_temperature=0.1") != used
    both = _identity(*data, "+data.paste_rare=0.5", "+data.rare_classes=0.5")
    assert both["data"]["paste_rare"] == both["data"]["rare_classes"] == 0.5


def test_weights_of_data_sets_are_part_of_a_run_and_none_are_as_in_older_runs():
    joint = ("data=joint", "data.sets=[demo,folders]")
    plain = _identity(*joint)
    assert _identity(*joint, "data.weights=null") == plain
    weighted = _identity(*joint, "data.weights={demo: 1, folders: 2}")
    assert weighted != plain
    assert _identity(*joint, "data.weights={demo: 1, folders: 3}") != weighted


def test_a_table_of_groups_is_part_of_a_run_by_content_and_none_is_as_in_older_runs(tmp_path):
    assert "groups" not in _identity("data=folders")["data"]
    tables = [tmp_path / name for name in ("a.csv", "b.csv", "c.csv")]
    for table, text in zip(tables, ("image,group\na,1\n", "image,group\na,1\n", "x"), strict=True):
        table.write_text(text)
    same, copy, other = (_identity("data=folders", f"data.groups={table}") for table in tables)
    assert same == copy != other
    assert same != _identity("data=folders")
