"""Which targets are resolved and which are refused."""

import sys

import albumentations
import pytest
import pytorch_lightning as pl
import torch

from aerialseg.config.targets import ALLOWED, resolve_target
from aerialseg.data.layouts import demo
from aerialseg.errors import ConfigError
from aerialseg.losses import DiceLoss

PACKAGES = ", ".join(ALLOWED)


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("torch.optim.SGD", torch.optim.SGD),
        ("torch.optim.sgd.SGD", torch.optim.SGD),
        ("torch.optim.lr_scheduler.PolynomialLR", torch.optim.lr_scheduler.PolynomialLR),
        ("pytorch_lightning.Trainer", pl.Trainer),
        ("albumentations.Compose", albumentations.Compose),
        ("aerialseg.losses.DiceLoss", DiceLoss),
        ("aerialseg.data.layouts.demo", demo),
    ],
)
def test_finds_classes_and_functions(target, found):
    assert resolve_target(target) is found


@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("torc.optim.SGD", f"'torc.optim.SGD' is not in {PACKAGES}"),
        ("torch.optm.SGD", f"'torch.optm.SGD' is not in {PACKAGES}"),
        ("torch.optim.SDG", "torch.optim has no 'SDG'; did you mean 'SGD'?"),
        (
            "torch.optim.lr_schedular.StepLR",
            "torch.optim has no 'lr_schedular'; did you mean 'lr_scheduler'?",
        ),
        (
            "pytorch_lightning.callback.EarlyStopping",
            "pytorch_lightning has no 'callback'; did you mean 'callbacks'?",
        ),
        ("aerialseg.losses.Dice", "aerialseg.losses has no 'Dice'; did you mean 'DiceLoss'?"),
        ("aerialseg.loses.DiceLoss", "aerialseg has no 'loses'; did you mean 'losses'?"),
        ("torch.optim..SGD", "torch.optim has no ''"),
        ("torch.optim.", "torch.optim has no ''"),
        ("torch.optim", f"'torch.optim' is not in {PACKAGES}"),
        (
            "aerialseg.config.targets.ALLOWED",
            "'aerialseg.config.targets.ALLOWED' is not a class or function",
        ),
        (
            "aerialseg.storage.run_folders.RunFolder.clear",
            "aerialseg.storage.run_folders.RunFolder has no 'clear'",
        ),
        ("", f"'' is not in {PACKAGES}"),
        (3, f"3 is not in {PACKAGES}"),
        (None, f"None is not in {PACKAGES}"),
        (["a"], f"['a'] is not in {PACKAGES}"),
    ],
)
def test_a_wrong_path_names_its_first_wrong_part(target, line):
    with pytest.raises(ConfigError) as error:
        resolve_target(target)
    assert error.value.problems == (line,)


def test_a_module_as_target_lists_its_contents():
    with pytest.raises(
        ConfigError, match=r"'torch.optim.sgd' is not a class or function; it holds SGD"
    ):
        resolve_target("torch.optim.sgd")


@pytest.mark.parametrize(
    "target",
    [
        "os.system",
        "subprocess.run",
        "builtins.eval",
        "torch.hub.load",
        "torch.load",
        "hydra.utils.instantiate",
        "aerialsegx.evil",
        # Detours through the imports of an allowed package.
        "aerialseg.storage.run_folders.subprocess.run",
        "aerialseg.storage.run_folders.subprocess.Popen",
        "aerialseg.storage.run_folders.shutil.rmtree",
        "aerialseg.config.targets.importlib.import_module",
        "torch.nn.modules.module.torch.hub.load",
        "torch.nn.functional.importlib.import_module",
        "torch.optim.lr_scheduler.types.FunctionType",
        "pytorch_lightning.trainer.trainer.os.system",
        "aerialseg.training.build.instantiate",
    ],
)
def test_nothing_outside_the_allowed_packages_is_reached(target):
    with pytest.raises(ConfigError):
        resolve_target(target)


def test_a_detour_is_reported_by_its_real_name():
    with pytest.raises(ConfigError) as error:
        resolve_target("aerialseg.storage.run_folders.subprocess.run")
    assert error.value.problems == (
        "'aerialseg.storage.run_folders.subprocess.run' is subprocess.run, "
        f"which is not in {PACKAGES}",
    )


@pytest.fixture
def package(tmp_path, monkeypatch):
    """An allowed package with modules that cannot be imported."""
    root = tmp_path / "allowed_here"
    root.mkdir()
    (root / "__init__.py").touch()
    (root / "needy.py").write_text("import nowhere_to_be_found")
    (root / "torn.py").write_text("from allowed_here import nothing")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("aerialseg.config.targets.ALLOWED", ("allowed_here", "not_installed"))
    # Python finds the modules of a package where it found the package: in the folder of another
    # test, which may be gone.
    monkeypatch.delitem(sys.modules, "allowed_here", raising=False)


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize(
    ("target", "line"),
    [
        (
            "not_installed.Part",
            "'not_installed.Part': the package 'not_installed' is not installed",
        ),
        (
            "allowed_here.needy.Part",
            "allowed_here.needy cannot be imported: No module named 'nowhere_to_be_found'",
        ),
        (
            "allowed_here.torn.Part",
            "allowed_here.torn cannot be imported: cannot import name 'nothing' from",
        ),
        ("allowed_here.absent.Part", "allowed_here has no 'absent'; known: needy, torn"),
    ],
)
def test_a_failed_import_gives_the_reason(target, line):
    with pytest.raises(ConfigError) as error:
        resolve_target(target)
    (problem,) = error.value.problems
    assert problem.startswith(line)
