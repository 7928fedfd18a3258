"""The package as its users install it: a wheel in an environment that knows no clone."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from helpers.systems import needs_posix

REPOSITORY = Path(__file__).parents[1]
IN_ARCHIVE = {
    *("src", "conf", "weights", "docs", "examples", "run.py", "multirun_stages.sh"),
    *("README.md", "CHANGELOG.md", "CITATION.cff", "LICENSE", "pyproject.toml", "PKG-INFO"),
    ".gitignore",
}
TWO_STEPS = (
    *("experiment=demo", "trainer=cpu", "data.layout.count=8", "data.layout.test_count=0"),
    *("data.layout.size=[48,64]", "data.image_min_size=48", "data.num_workers=0", "logger=csv"),
    *("stage.epochs=1", "trainer.limit_train_batches=2", "trainer.limit_val_batches=1"),
)


def build(kind, source, folder):
    """The file that the build backend makes, and the names in it."""
    folder.mkdir(parents=True)
    script = f"import sys, hatchling.build as b; print(b.build_{kind}(sys.argv[1]))"
    command = [sys.executable, "-c", script, str(folder)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=True)
    path = folder / done.stdout.split()[-1]
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as archive:
            return path, set(archive.namelist())
    with tarfile.open(path) as archive:
        return path, set(archive.getnames())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return build("wheel", REPOSITORY, tmp_path_factory.mktemp("built") / "wheel")


@pytest.fixture(scope="module")
def site(wheel, tmp_path_factory):
    """A folder in which pip has installed the wheel."""
    site = tmp_path_factory.mktemp("installed") / "site"
    pip = "-m pip install --quiet --disable-pip-version-check --no-index --no-deps --target"
    subprocess.run([sys.executable, *pip.split(), str(site), str(wheel[0])], check=True)
    return site


@pytest.fixture
def run(site, tmp_path):
    """A function that runs the installed command in an empty folder."""
    environment = os.environ | {"PYTHONPATH": str(site), "OMP_NUM_THREADS": "1"}
    script = next(path for path in (site / "bin").glob("aerialseg*"))

    def run(*arguments, start=(str(script),)):
        return subprocess.run(
            [sys.executable, *start, *arguments],
            **{"cwd": tmp_path, "env": environment, "capture_output": True, "text": True},
            check=False,
        )

    return run


def test_the_wheel_ships_the_configs_and_what_the_demo_needs(wheel):
    _, names = wheel
    shipped = {path.relative_to(REPOSITORY) for path in (REPOSITORY / "conf").rglob("*.yaml")}
    assert {f"aerialseg/{path.as_posix()}" for path in shipped} <= names
    assert "aerialseg/weights/demo_backbone.pth" in names
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"aerialseg"}
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]


def test_the_source_archive_has_no_tests_and_makes_the_same_wheel(wheel, tmp_path):
    path, names = build("sdist", REPOSITORY, tmp_path / "sdist")
    assert {name.split("/")[1] for name in names} == IN_ARCHIVE
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]
    with tarfile.open(path) as archive:
        archive.extractall(tmp_path, filter="data")
    (unpacked,) = tmp_path.glob("aerialseg-*")
    assert build("wheel", unpacked, tmp_path / "wheel")[1] == wheel[1]


def test_an_editable_install_has_no_copies(tmp_path):
    _, names = build("editable", REPOSITORY, tmp_path / "editable")
    assert not [name for name in names if name.startswith("aerialseg/")]


@needs_posix
def test_the_messages_of_the_installed_command_say_what_was_typed(run, site):
    assert "  aerialseg stage=aspp  " in run("--help").stdout
    assert run("-9").stderr == (
        "config error: -9: is not a flag; `aerialseg --hydra-help` lists them\n"
    )
    done = run("-9", start=("-m", "aerialseg"))
    assert "`python -m aerialseg --hydra-help`" in done.stderr
    done = run(start=("-c", "import aerialseg; print(aerialseg.__file__)"))
    assert done.stdout.strip() == str(site / "aerialseg" / "__init__.py")


@needs_posix
@pytest.mark.slow
def test_the_installed_command_trains_in_an_empty_folder_with_a_config_dir_of_the_user(
    run, tmp_path
):
    mine = tmp_path / "mine" / "loss" / "mine.yaml"
    mine.parent.mkdir(parents=True)
    mine.write_text("defaults: [dice, _self_]\naux_weight: 0.25\n")
    done = run(*TWO_STEPS, "stage=head")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "runs/demo/head/train/metrics.json").exists()
    done = run(*TWO_STEPS, "--config-dir=mine", "loss=mine", "stage=aspp")
    assert done.returncode == 1
    assert done.stderr.startswith("config error: stage.init_checkpoint: ")
    assert f"run `aerialseg --config-dir={tmp_path / 'mine'} stage=decoder" in done.stderr
    done = run("task=predict", "run_name=demo", "input=data/demo/imgs/imgs", "trainer=cpu")
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "predictions").glob("*_index.png"))) == 8
