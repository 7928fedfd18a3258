"""A run's own choices are the defaults of later commands on it."""

import json
import logging
import shutil
from pathlib import Path

import pytest
import yaml
from omegaconf import OmegaConf

from aerialseg.config.remembered import Asked, inherited_overrides
from aerialseg.errors import ConfigError
from helpers.commands import run_command
from helpers.tiny_data import CLASSES, write_folders

RECORDED = ["stage=head", "data=folders", "++data.root=d", "data/classes=dubai", "++seed=3"]
OF_DATA = ["data=folders", "++data.root=d", "data/classes=dubai"]


@pytest.mark.parametrize(
    ("typed", "inherited"),
    [
        (["run_name=a", "stage=decoder", "augmentation=drone"], OF_DATA),
        (["++data.batch_size=2"], OF_DATA),
        (["++data.root=e"], ["data=folders", "data/classes=dubai"]),
        (["data=folders"], OF_DATA),
        (["data=demo"], []),
        (["experiment=demo"], []),
    ],
)
def test_typed_overrides_replace_recorded_ones(typed, inherited):
    assert inherited_overrides(RECORDED, typed) == inherited


def test_a_mapping_replaces_the_values_in_it():
    recorded = ["++data.layout.images=rgb", "++data.root=d"]
    assert inherited_overrides(recorded, ["++data.layout={images: x}"]) == ["++data.root=d"]


def test_the_same_experiment_keeps_the_values_beside_it():
    recorded = ["experiment=demo", "++data.root=d"]
    assert inherited_overrides(recorded, ["experiment=demo"]) == recorded


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder with two data sets, and the first stage trained on one of them."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("d", "e"):
        write_folders(folder / name, [f"{name}{number}" for number in range(6)])
        (folder / name / "classes.yaml").write_text(yaml.safe_dump(CLASSES, sort_keys=False))
    done = run_command(
        *("stage=head", "run_name=mine", "seed=3", "augmentation=drone", "data=folders"),
        *("data.root=d", "data.image_min_size=24", "data.batch_size=3", "data.num_workers=0"),
        *("model=lraspp_mobilenet_v3_large", "model.weights=none", "optimizer=adamw"),
        *("stage.learning_rate=1e-3", "stage.epochs=1", "trainer=cpu"),
        folder=folder,
    )
    assert done.returncode == 0, done.stderr
    return folder


def run(*arguments, folder):
    done = run_command(*arguments, "run_name=mine", "trainer=cpu", folder=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def evaluated_images(runs):
    lines = (runs / "mine/head/evaluate/images.csv").read_text().splitlines()[1:]
    return {line.split(",")[0][0] for line in lines}


def test_evaluate_reads_the_data_of_the_run(project):
    said = run("task=evaluate", folder=project)
    assert "taken from the run in runs/mine/head/train: data=folders data.root=d" in said
    assert "differs" not in said
    assert evaluated_images(project / "runs") == {"d"}


def test_what_is_typed_takes_precedence_and_is_named(project):
    said = run("task=evaluate", "data.root=e", folder=project)
    assert "differs from the run in runs/mine/head/train: data.root was d, is e" in said
    assert evaluated_images(project / "runs") == {"e"}


def refused(*arguments, folder):
    """All that a command says that is refused."""
    done = run_command(*arguments, "run_name=mine", "trainer=cpu", folder=folder)
    assert done.returncode == 1
    return (done.stdout + done.stderr).splitlines()


def test_of_a_typo_only_the_error_is_shown(project):
    (line,) = refused("task=evaluate", "data.root=e", "data.image_min_sze=64", folder=project)
    assert line.startswith("config error: data.image_min_sze: ")


@pytest.mark.parametrize(
    ("problem", "is_said"),
    [
        ("data.root: d does not exist", True),
        ("data.layout.images: 1 is not text", True),
        ("data.image_min_sze: is no key", False),
        ("data.rootless: is no key", False),
    ],
)
def test_an_error_in_what_was_inherited_comes_with_its_source(caplog, problem, is_said):
    inherited = ["data=folders", "++data.root=d", "++data.layout={images: 1}"]
    caplog.set_level(logging.INFO)
    Asked(OmegaConf.create(), inherited, Path("runs/mine")).explain(ConfigError(problem))
    said = "taken from the run in runs/mine: data=folders data.root=d data.layout={images: 1}"
    assert caplog.messages == ([said] if is_said else [])


def test_the_next_stage_inherits_data_model_and_optimizer_only(project, tmp_path):
    shutil.copytree(project, tmp_path, dirs_exist_ok=True)
    run("stage=decoder", "stage.epochs=1", "existing=resume", folder=tmp_path)
    config = yaml.safe_load((tmp_path / "runs/mine/decoder/train/config.yaml").read_text())
    assert config["data"]["root"] == "d"
    assert config["data"]["batch_size"] == 3
    assert config["optimizer"]["function"]["_target_"].endswith("AdamW")
    assert "lraspp" in config["model"]["network"]["_target_"]
    assert config["seed"] == 0
    assert config["augmentation"]["transforms"] == []
    assert config["stage"]["learning_rate"] == 1e-3
    # What was inherited is recorded, so that the stage after this one inherits it too.
    said = run("task=evaluate", "stage=decoder", folder=tmp_path)
    assert "data.root=d" in said


def test_a_copied_project_reads_its_own_data(project, tmp_path):
    shutil.copytree(project, tmp_path, dirs_exist_ok=True)
    shutil.rmtree(tmp_path / "e")
    (tmp_path / "elsewhere").mkdir()
    folder = tmp_path / "elsewhere"
    said = run("task=evaluate", "paths.runs_dir=../runs", folder=folder)
    assert f"data.root='{tmp_path / 'd'}'" in said
    assert evaluated_images(tmp_path / "runs") == {"d"}


def test_a_run_is_found_by_its_checkpoint(project, tmp_path):
    checkpoint = project / "runs/mine/head/train/checkpoints/best.ckpt"
    said = run("task=evaluate", f"checkpoint={checkpoint}", folder=tmp_path)
    assert f"data.root='{project / 'd'}'" in said
    assert evaluated_images(tmp_path / "runs") == {"d"}


def test_a_damaged_record_is_named_and_nothing_inherited(project, tmp_path):
    shutil.copytree(project, tmp_path, dirs_exist_ok=True)
    record = tmp_path / "runs/mine/head/train/provenance.json"
    record.write_text(record.read_text()[:40])
    said = run("task=evaluate", "data=folders", "data.root=d", folder=tmp_path)
    assert "its record is damaged; nothing is inherited" in said


def test_a_choice_that_is_gone_is_one_line(project, tmp_path):
    shutil.copytree(project, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "runs/mine/head/train/provenance.json"
    record = json.loads(path.read_text())
    record["command"][record["command"].index("data=folders")] = "data=ours"
    path.write_text(json.dumps(record))
    done = run_command("task=evaluate", "run_name=mine", folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "config error: data: runs/mine/head/train was trained with data=ours, which is not among "
        "the choices; add its folder with --config-dir=DIR, or choose another data"
    )


def test_each_job_of_a_sweep_inherits(project, tmp_path):
    shutil.copytree(project, tmp_path, dirs_exist_ok=True)
    # Only the layout of the run's data takes this value.
    said = run(
        *("-m", "stage=decoder", "seed=0,1", "stage.epochs=1", "data.layout.masks=masks"),
        folder=tmp_path,
    )
    assert said.count("taken from the run in runs/mine/head/train: ") == 2
    for seed in (0, 1):
        path = tmp_path / f"runs/mine/decoder/seed={seed}/train/config.yaml"
        assert yaml.safe_load(path.read_text())["data"]["root"] == "d"


def test_an_extension_inherits_from_the_run_that_it_extends(project, tmp_path):
    shutil.copytree(project, tmp_path, dirs_exist_ok=True)
    said = run(
        *("stage=head", "stage.epochs=2", "existing=extend", "seed=3", "augmentation=drone"),
        "stage.learning_rate=1e-3",
        folder=tmp_path,
    )
    assert "taken from the run in runs/mine/head/train: data=folders data.root=d" in said
    assert json.loads((tmp_path / "runs/mine/head/train/metrics.json").read_text())["epochs"] == 2
