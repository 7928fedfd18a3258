"""Wrong experiment files and the exact lines they print."""

import inspect
import shutil

import pytest
import torch

from aerialseg.config.targets import ALLOWED
from aerialseg.config.yaml_files import check_files
from aerialseg.errors import ConfigError
from helpers.composing import CONF, lines

# torch 2.6 has one argument more.
_, *_ARGUMENTS = inspect.signature(torch.optim.lr_scheduler.CosineAnnealingLR).parameters
COSINE = ", ".join(_ARGUMENTS)

# The content of an experiment file and the lines it prints.
OVERLAYS = {
    "unknown key at the top": ("sed: 1", ["sed: the config takes no 'sed'; did you mean 'seed'?"]),
    "unknown key of a group": (
        "stage: {epoch: 3}",
        ["stage.epoch: conf/stage takes no 'epoch'; did you mean 'epochs'?"],
    ),
    "unknown key of a node": (
        "data: {layout: {siz: [1, 2]}}",
        [
            "data.layout.siz: aerialseg.data.layouts.demo takes no 'siz'; did you mean 'size'?",
        ],
    ),
    "unknown key in a list": (
        "augmentation: {transforms: [{_target_: albumentations.Blur, prob: 1}]}",
        ["augmentation.transforms[0].prob: albumentations.Blur takes no 'prob'; did you mean 'p'?"],
    ),
    "a name where a node belongs": (
        "scheduler: cosine",
        ["scheduler: 'cosine' is not a mapping with a _target_"],
    ),
    "a name where keys belong": ("stage: aspp", ["stage: 'aspp' is not a mapping"]),
    "a value to be set": (
        "optimizer:\n  function:\n    amsgrad: ???",
        [
            "optimizer.function.amsgrad: must be set; "
            "add optimizer.function.amsgrad=VALUE to the command"
        ],
    ),
    "interpolations that lead nowhere": (
        "run_name: ${stage.nme}\nseed: ${nowhere:1}",
        [
            "run_name: cannot be resolved: Interpolation key 'stage.nme' not found",
            "seed: cannot be resolved: Unsupported interpolation type nowhere",
        ],
    ),
    "interpolations in a circle": (
        "stage: {previous: '${stage.load_from}', load_from: '${stage.previous}'}",
        [
            "stage.previous: cannot be resolved: Recursive interpolation detected",
            "stage.load_from: cannot be resolved: Recursive interpolation detected",
        ],
    ),
    "a callback without a target": (
        "callbacks: {mine: {monitor: val/dice}}",
        ["callbacks.mine: has no _target_, so nothing can be built from it"],
    ),
    "another target's missing argument": (
        "scheduler: {_target_: torch.optim.lr_scheduler.CosineAnnealingLR}",
        [
            "scheduler.power: torch.optim.lr_scheduler.CosineAnnealingLR takes no 'power'; "
            f"known: {COSINE}",
            "scheduler.T_max: torch.optim.lr_scheduler.CosineAnnealingLR needs a value here",
        ],
    ),
    "a target that is not a name": (
        "loss: {function: {_target_: [a]}}",
        [f"loss.function._target_: ['a'] is not in {', '.join(ALLOWED)}"],
    ),
    "a file that is not YAML": (
        "seed: 1\n  x: [",
        ["conf/experiment/mine.yaml: line 3: is not YAML: mapping values are not allowed here"],
    ),
    "a key twice": (
        "stage:\n  epochs: 1\n  epochs: 2",
        ["conf/experiment/mine.yaml: line 4: has 'epochs' twice"],
    ),
    "a misspelt override": (
        "defaults:\n  - overide /augmentation: drone",
        [
            "conf/experiment/mine.yaml: line 3: defaults: 'overide /augmentation'; "
            "did you mean 'override'?"
        ],
    ),
}


@pytest.fixture(scope="module")
def conf(tmp_path_factory):
    return shutil.copytree(CONF, tmp_path_factory.mktemp("overlays") / "conf")


@pytest.mark.parametrize(("text", "wanted"), OVERLAYS.values(), ids=OVERLAYS)
def test_an_invalid_experiment_file(conf, text, wanted):
    (conf / "experiment" / "mine.yaml").write_text(f"# @package _global_\n{text}\n")
    found = lines("experiment=mine", conf=conf)
    assert sorted(found) == sorted(f"config error: {line}" for line in wanted)


def test_an_experiment_without_its_package_line(conf):
    (conf / "experiment" / "mine.yaml").write_text("seed: 1\n")
    assert lines("experiment=mine", conf=conf) == [
        "config error: conf/experiment/mine.yaml: an experiment needs the line "
        "'# @package _global_' to reach the other groups"
    ]


NO_PACKAGE = "add '# @package _global_' as its first line, or its {} would be {}"


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        (
            "recipe/mine",
            "defaults: [strong, _self_]\nrecipe: {name: mine}\n",
            NO_PACKAGE.format("recipe", "recipe.recipe"),
        ),
        (
            "recipe/mine",
            "defaults: [strong, _self_]\noptimizer: {layer_decay: 0.5}\n",
            NO_PACKAGE.format("optimizer", "recipe.optimizer"),
        ),
        (
            "task/mine",
            "existing: resume\ntask: {name: train}\n",
            NO_PACKAGE.format("task", "task.task"),
        ),
    ],
)
def test_a_file_of_a_group_that_reaches_others_without_its_package_line(
    tmp_path, name, text, wanted
):
    own = tmp_path / "conf"
    (own / name).parent.mkdir(parents=True)
    path = own / f"{name}.yaml"
    path.write_text(f"# Mine.\n{text}")
    with pytest.raises(ConfigError) as caught:
        check_files(own)
    assert caught.value.problems == (f"conf/{name}.yaml: {wanted}",)
    path.write_text(f"# @package _global_\n# Mine.\n{text}")
    check_files(own)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("recipe", "name: mine\nepochs: {full: 3}\naugmentation: {full: drone}\n"),
        ("logger", "_target_: pytorch_lightning.loggers.CSVLogger\nlogger: 1\n"),
    ],
)
def test_a_file_of_a_group_alone_needs_no_package_line(tmp_path, name, text):
    (tmp_path / "conf" / name).mkdir(parents=True)
    (tmp_path / "conf" / name / "mine.yaml").write_text(text)
    check_files(tmp_path / "conf")
