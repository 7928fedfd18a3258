"""Rules between keys and files on disk, and the command that each message advises."""

import json

import pytest
from hydra.core.hydra_config import HydraConfig
from pytorch_lightning.accelerators import CUDAAccelerator

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


@pytest.mark.parametrize(("finish", "state"), [(False, "an unfinished"), (True, "a finished")])
def test_an_existing_run_is_not_overwritten(runs, finish, state):
    begin(runs / "default/head/train", finish=finish)
    assert at(runs, "stage=head") == [
        f"config error: existing: {runs}/default/head/train already holds {state} run; choose "
        "existing=resume to continue it, existing=overwrite to replace it, or another run_name"
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


def test_predict_needs_an_input(runs):
    assert at(runs, "task=predict", "stage=full") == [
        "config error: input: must be set; add input=PATH of an image, a folder or a quoted glob"
    ]


@pytest.mark.parametrize("name", ["gpu", "cuda", "tpu"])
def test_a_missing_accelerator_is_refused(monkeypatch, name):
    monkeypatch.setattr(CUDAAccelerator, "is_available", staticmethod(lambda: False))
    assert lines(f"trainer.accelerator={name}") == [
        f"config error: trainer.accelerator: this machine has no '{name}' that can be used; "
        "try trainer=cpu"
    ]


@pytest.mark.parametrize("devices", ["2", "-1", "auto", "'2,3'", "[0,1]", "'-1'"])
def test_more_than_one_device_is_refused(devices):
    (line,) = lines_for_values(f"trainer.devices={devices}")
    assert line.startswith("config error: trainer.devices: ")
    assert line.endswith(" may mean more than one device; training uses one; set trainer.devices=1")


@pytest.mark.parametrize("devices", ["1", "[3]", "'3,'"])
def test_one_device_may_be_chosen(devices):
    assert lines_for_values(f"trainer.devices={devices}") == []


def test_several_machines_and_their_strategies_are_refused():
    assert lines_for_values("+trainer.num_nodes=2", "+trainer.strategy=ddp") == [
        "config error: trainer.num_nodes: 2 may mean more than one device; training uses one; "
        "set trainer.num_nodes=1",
        "config error: trainer.strategy: 'ddp' is for several devices; training uses one; "
        "set trainer.strategy=auto",
    ]


@pytest.mark.parametrize("name", ["val/loss", "train/dice", "val/miou_absent_one", "val/iou_car"])
def test_every_logged_value_may_be_monitored(name):
    assert lines_for_values(f"callbacks.early_stopping.monitor={name}") == []


def test_a_class_is_monitored_under_the_name_of_its_logged_score():
    watch = "callbacks.early_stopping.monitor"
    table = "+data.classes={Small Car:[1,2,3]}"
    assert lines_for_values(table, f"{watch}=val/dice_small_car") == []
    assert lines_for_values(table, f"{watch}=val/dice_small_cat") == [
        f"config error: {watch}: 'val/dice_small_cat' is never logged; "
        "did you mean 'val/dice_small_car'?"
    ]


def test_any_class_of_a_table_in_a_file_may_be_monitored():
    watch = "callbacks.checkpoint.monitor"
    assert lines("data=folders", f"{watch}=val/dice_roof") == []
    assert lines("data=folders", f"{watch}=val/dcie_roof") != []


def test_a_target_with_kwargs_takes_more_keywords():
    assert lines("+logger.max_queue=3") == []


@pytest.mark.parametrize("key", ["stage.name", "stage.from_run"])
@pytest.mark.parametrize("name", ["../x", "a/b", "a\\b", "..", "C:x"])
def test_a_name_that_is_a_path_is_refused(key, name):
    line = f"config error: {key}: {name!r} cannot be the name of a folder"
    assert line in lines_for_values(f"{key}='{name}'", "task=layers")


@pytest.mark.parametrize(
    ("folder", "leaves"),
    [
        ("runs/default/head/data.root=../../../../../x/train", True),
        ("runs/../x", True),
        ("runs/default/head/data.root=../x/train", False),
        ("runs/default/head/data.root=/x/train", False),
        ("../x", False),  # given explicitly, not composed
        ("/x", False),
    ],
)
def test_swept_values_cannot_put_a_job_outside_the_folder_of_runs(folder, leaves):
    line = f"config error: paths.output_dir: {folder} is outside runs; set it to a folder"
    found = lines_for_values(f"paths.output_dir='{folder}'", "task=layers")
    assert found == ([line] if leaves else [])


def test_a_network_that_no_checkpoint_could_rebuild_is_refused():
    (line,) = lines("model.network={_target_: torch.nn.Identity}")
    assert line.startswith(
        "config error: model.network._target_: 'torch.nn.Identity' is not a registered network; "
        "only builders of aerialseg.models.networks are accepted"
    )
