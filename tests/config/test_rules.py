"""Rules between keys and files on disk, and the command that each message advises."""

import json
import os

import pytest
from hydra.core.hydra_config import HydraConfig

from aerialseg.config.validation import validate_chain
from aerialseg.errors import ConfigError
from helpers.composing import composed, finish_stages, lines, lines_for_values


@pytest.fixture
def runs(tmp_path):
    finish_stages(tmp_path)
    return tmp_path


def begin(folder, *, finish=False):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "provenance.json").write_text("{}")
    if finish:
        (folder / "metrics.json").write_text(json.dumps({}))


def at(runs, *arguments):
    return lines_for_values(*arguments, f"paths.runs_dir={runs}")


def test_a_missing_predecessor_names_the_command_that_makes_it(tmp_path):
    start = f"{tmp_path}/default/decoder/train/checkpoints/best.ckpt"
    line = (
        f"config error: stage.init_checkpoint: stage aspp starts from {start}, which does not "
        "exist; run `python run.py stage=decoder run_name=default` first"
    )
    assert at(tmp_path, "stage=aspp") == at(tmp_path, "stage=aspp", "task=check") == [line]
    assert at(tmp_path, "stage=aspp", "task=check", "task.chain=true") == []
    assert at(tmp_path, "stage=aspp", "task=layers") == []


def test_the_advised_command_keeps_the_other_overrides(tmp_path):
    arguments = (
        "experiment=demo",
        "stage=aspp",
        "stage.epochs=1",
        "data.root=my scenes",
        "task=check",
    )
    cfg = composed(*arguments, f"paths.runs_dir={tmp_path}", hydra=True)
    HydraConfig.instance().set_config(cfg)
    try:
        (line,) = at(tmp_path, *arguments)
    finally:
        HydraConfig.instance().cfg = None
    assert line.endswith(
        "run `python run.py stage=decoder run_name=demo experiment=demo 'data.root=my scenes' "
        f"paths.runs_dir={tmp_path}` first"
    )


def test_a_slip_in_the_run_to_start_from_names_the_run_that_is_meant(tmp_path):
    finish_stages(tmp_path, run_name="my_field")
    start = f"stage aspp starts from {tmp_path}/%s/decoder/train/checkpoints/best.ckpt"
    (slip,) = at(tmp_path, "stage=aspp", "stage.from_run=my_fild")
    (other,) = at(tmp_path, "stage=aspp", "stage.from_run=x")
    assert slip.endswith(
        f"{start % 'my_fild'}, which does not exist; did you mean stage.from_run=my_field?"
    )
    assert other.endswith(
        f"{start % 'x'}, which does not exist; run `python run.py stage=decoder run_name=x` first; "
        "runs that hold stage decoder: stage.from_run=my_field"
    )


def test_a_missing_checkpoint_given_by_path_advises_to_check_the_path(tmp_path):
    assert at(tmp_path, "stage=aspp", "stage.init_checkpoint=checkpoints/x.ckpt") == [
        "config error: stage.init_checkpoint: stage aspp starts from checkpoints/x.ckpt, which "
        "does not exist; check the path"
    ]


def test_a_stage_without_a_predecessor_says_how_to_start_from_weights(tmp_path):
    assert at(tmp_path, "stage=aspp", "stage.previous=null") == [
        f"config error: stage.init_checkpoint: stage aspp starts from {tmp_path}/default/None/"
        "train/checkpoints/best.ckpt, which does not exist; "
        "stage.init_checkpoint=null starts from model.weights instead"
    ]


def test_the_first_stage_of_a_list_may_start_from_weights(tmp_path):
    chosen = (f"paths.runs_dir={tmp_path}", "stage=full", "recipe=seed")
    with pytest.raises(ConfigError) as error:
        validate_chain({"full": composed(*chosen), "head": composed(*chosen[:1])})
    (line,) = error.value.problems
    assert line.endswith(
        "run `python run.py stage=half_backbone run_name=default` first, or begin with this stage: "
        "stage.init_checkpoint=null starts from model.weights instead"
    )


def test_the_first_stage_of_the_recipe_may_begin_with_weights(tmp_path):
    (line,) = at(tmp_path, "stage=full", "recipe=strong")
    assert line.endswith(
        "; the curriculum of recipe strong begins with it: stage.init_checkpoint=null"
    )
    (other,) = at(tmp_path, "stage=full", "recipe=seed")
    assert "the curriculum of recipe" not in other


def test_a_stage_cannot_start_from_itself(runs):
    assert at(runs, "stage=aspp", "stage.previous=aspp") == [
        "config error: stage.previous: stage aspp cannot start from itself"
    ]


def test_an_unfinished_predecessor_must_be_finished_first(runs):
    begin(runs / "default/decoder/train")
    start = f"{runs}/default/decoder/train/checkpoints/best.ckpt"
    assert at(runs, "stage=aspp") == [
        f"config error: stage.init_checkpoint: stage aspp starts from {start}, whose run is not "
        "finished; finish it with `python run.py stage=decoder run_name=default existing=resume`"
    ]
    begin(runs / "default/decoder/train", finish=True)
    assert at(runs, "stage=aspp") == []


@pytest.mark.parametrize(
    ("finish", "state", "use"),
    [(False, "an unfinished", "continue it"), (True, "a finished", "keep it as it is")],
)
def test_an_existing_run_is_not_overwritten(runs, finish, state, use):
    begin(runs / "default/head/train", finish=finish)
    assert at(runs, "stage=head") == [
        f"config error: existing: {runs}/default/head/train already holds {state} run; choose "
        f"existing=resume to {use}, existing=overwrite to replace it, or another run_name"
    ]
    for choice in ("existing=resume", "existing=overwrite", "run_name=other", "task=check"):
        assert at(runs, "stage=head", choice) == []


@pytest.mark.parametrize("task", ["evaluate", "submit", "predict", "extract_backbone"])
def test_a_checkpoint_to_be_read_must_exist(tmp_path, task):
    path = f"{tmp_path}/default/full/train/checkpoints/best.ckpt"
    assert at(tmp_path, f"task={task}", "stage=full", "input=x.jpg") == [
        f"config error: checkpoint: {path} does not exist; train it with "
        "`python run.py stage=full run_name=default`, or give checkpoint=PATH"
    ]


def test_a_missing_checkpoint_names_the_runs_that_hold_the_stage(tmp_path):
    for age, run in enumerate(("new", "old")):
        finish_stages(tmp_path, run_name=run)
        for path in tmp_path.glob(f"{run}/full/train/checkpoints/*.ckpt"):
            os.utime(path, (10**9 - age, 10**9 - age))
    (tmp_path / "empty/full/train/checkpoints").mkdir(parents=True)
    (line,) = at(tmp_path, "task=evaluate", "stage=full")
    assert line.endswith(
        "train it with `python run.py stage=full run_name=default`, or give checkpoint=PATH; "
        "runs that hold stage full: run_name=new, run_name=old"
    )


def test_a_missing_checkpoint_that_was_given_advises_to_check_the_path(runs):
    assert at(runs, "task=evaluate", "stage=full", "checkpoint=here/x.ckpt") == [
        "config error: checkpoint: here/x.ckpt does not exist; check the path"
    ]


def test_a_folder_that_was_given_as_checkpoint_names_the_newest_in_it(tmp_path):
    for age, run in enumerate(("new", "old")):
        finish_stages(tmp_path, run_name=run)
        for path in tmp_path.glob(f"{run}/full/train/checkpoints/*.ckpt"):
            os.utime(path, (2 * 10**9 - age, 2 * 10**9 - age))
    (line,) = at(tmp_path, "task=evaluate", f"checkpoint={tmp_path}")
    assert line == (
        f"config error: checkpoint: {tmp_path} is a folder; give a file, such as "
        f"checkpoint={tmp_path}/new/full/train/checkpoints/best.ckpt"
    )


def test_weights_in_a_file_that_does_not_exist_say_what_to_do(runs, monkeypatch):
    monkeypatch.chdir(runs)
    line = (
        "config error: model.weights: mine.pth does not exist; check the path, or start at random "
        "with model.weights=none"
    )
    assert at(runs, "stage=head", "model.weights=mine.pth") == [line]
    assert at(runs, "stage=aspp", "model.weights=mine.pth") == [], "it starts from a stage"
    assert at(runs, "task=layers", "model.weights=mine.pth") == []
    (runs / "mine.pth").touch()
    assert at(runs, "stage=head", "model.weights=mine.pth") == []


def test_predict_needs_an_input(runs):
    assert at(runs, "task=predict", "stage=full") == [
        "config error: input: must be set; add input=PATH of an image, a folder or a quoted glob"
    ]


def test_a_target_with_kwargs_takes_more_keywords():
    target = "logger._target_=pytorch_lightning.loggers.TensorBoardLogger"
    assert lines(target, "+logger.max_queue=3") == []


def test_a_network_that_no_checkpoint_could_rebuild_is_refused():
    (line,) = lines("model.network={_target_: torch.nn.Identity}")
    assert line.startswith(
        "config error: model.network._target_: 'torch.nn.Identity' is not a registered network; "
        "only builders of aerialseg.models.networks are accepted"
    )


@pytest.mark.parametrize(
    ("name", "example"),
    [("crops", "'data.crop_size=[256,456]'"), ("crops_nadir", "data.crop_size=256")],
)
def test_an_augmentation_for_crops_needs_their_size(name, example, monkeypatch):
    chosen = ("stage=head", "task=check", f"augmentation={name}")
    monkeypatch.setattr(HydraConfig.instance(), "cfg", composed(*chosen, hydra=True))
    assert lines(*chosen) == [
        f"config error: data.crop_size: is null, but augmentation={name} is for crops; set it, as "
        f"in {example}"
    ]
    assert lines(*chosen, "data.crop_size=128") == []


def test_the_shares_of_crops_are_in_order_and_no_more_than_1(tmp_path):
    chosen = ("stage=head", "task=check", "data.crop_size=128")
    assert at(tmp_path, *chosen, "data.crop_scale=[1.0,0.5]") == [
        "config error: data.crop_scale: [1.0, 0.5] is [high, low]; wanted [low, high]"
    ]
    for wrong in ("[0,1]", "[0.5,2]", "0.5", "[0.1,0.2,0.3]"):
        (line,) = at(tmp_path, *chosen, f"data.crop_scale={wrong}")
        assert line.startswith("config error: data.crop_scale")
    assert at(tmp_path, *chosen, "data.crop_scale=[0.5,0.5]", "data.rare_classes=1") == []


@pytest.mark.parametrize(
    ("window", "edge", "is_refused"),
    [
        ("512", "720", True),
        ("[512,1024]", "513", True),
        ("[512,1024]", "512", False),
        ("512", "null", False),
        ("null", "720", False),
    ],
)
def test_windows_are_not_enlarged(tmp_path, window, edge, is_refused):
    values = (f"data.window={window}", f"data.image_min_size={edge}")
    found = at(tmp_path, "stage=head", "task=check", *values)
    shown = window.replace(",", ", ")
    line = (
        f"config error: data.image_min_size: {edge} would enlarge the windows of "
        f"data.window={shown}; data.image_min_size=null keeps their scale, less than 512 shrinks "
        "them"
    )
    assert found == ([line] if is_refused else [])
