"""Every file under conf/ is valid, and the command in its header selects it."""

import re
import shlex
from pathlib import Path

import pytest
from pytorch_lightning.accelerators import CUDAAccelerator

from helpers.composing import CONF, composed, finish_stages, lines, swept
from helpers.finished_runs import finish_stage
from helpers.stages import STAGES

FILES = sorted(CONF.rglob("*.yaml"))
# A file whose name starts with an underscore is a base that other files include.
CHOICES = [path for path in FILES if path.parent != CONF and not path.stem.startswith("_")]
NOT_PICKED = {"hydra/hydra_logging", "hydra/job_logging", "hydra/help"}
COMMAND = re.compile(r"(?:python run\.py|\./multirun_stages\.sh)(?: [^\s`&)]+)+")


def name_of(path):
    return str(path.relative_to(CONF).with_suffix(""))


def choice_of(path):
    return f"{path.parent.relative_to(CONF)}={path.stem}"


def header_of(path):
    comments = []
    for line in path.read_text().splitlines():
        if not line.startswith("#"):
            break
        if "@package" not in line:
            comments.append(line.removeprefix("# "))
    return comments


def commands_of(path):
    found = COMMAND.findall("\n".join(header_of(path)))
    return [command for command in found if "..." not in command and " --" not in command]


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """A machine with a trained chain of stages and a GPU."""
    finish_stages(tmp_path / "runs")
    monkeypatch.setattr(CUDAAccelerator, "is_available", staticmethod(lambda: True))
    return f"paths.runs_dir={tmp_path / 'runs'}"


def test_all_groups_exist():
    groups = {path.relative_to(CONF).parts[0] for path in CHOICES}
    assert groups >= {
        *("paths", "data", "model", "loss", "augmentation", "optimizer", "scheduler", "stage"),
        *("trainer", "callbacks", "logger", "task", "experiment"),
    }
    assert {path.stem for path in CHOICES if path.parent.name == "stage"} == set(STAGES)


@pytest.mark.parametrize("path", CHOICES, ids=name_of)
def test_every_choice_composes_and_validates(path, trained):
    more = ["run_name=default"] if path.parent.name == "experiment" else []
    more += ["data.sets=[demo,folders]"] if name_of(path) == "data/joint" else []
    reads_input = name_of(path) in ("task/predict", "task/convert_annotations")
    more += ["input=image.jpg"] if reads_input else []
    if name_of(path) == "task/compare":
        for run in ("one", "two"):
            finish_stage(Path(trained.partition("=")[2]) / run, "full", 0.5)
        more += ["task.runs=[one,two]"]
    assert lines(choice_of(path), *more, trained) == []


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("path", sorted(CONF.glob("model/*.yaml")), ids=name_of)
def test_every_model_takes_every_stage(path, stage, trained):
    assert lines(choice_of(path), f"stage={stage}", trained) == []


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_file_has_a_header_comment(path):
    first = COMMAND.sub("", header_of(path)[0])
    assert re.search(r"[A-Za-z-]{5}", first)


@pytest.mark.parametrize(
    "path", [p for p in CHOICES if str(p.parent.relative_to(CONF)) not in NOT_PICKED], ids=name_of
)
def test_the_command_in_the_header_selects_the_file(path):
    group, choice = choice_of(path).split("=")
    commands = commands_of(path)
    assert commands
    picked = []
    for command in commands:
        arguments = shlex.split(command.removeprefix("python").strip())[1:]
        runtime = composed(*arguments, hydra=True).hydra.runtime
        picked.append(runtime.choices[group])
    assert picked == [choice] * len(commands)


# Name, first layer group that learns, learning rate, epochs, augmentation, auxiliary loss.
CURRICULUM = [
    ("head", 21, 2e-2, 30, "none", True),
    ("decoder", 18, 1e-2, 70, "none", True),
    ("aspp", 17, 8e-3, 30, "drone", True),
    ("half_backbone", 8, 1e-2, 40, "drone", True),
    ("full", 0, 4e-3, 30, "drone", False),
]


@pytest.mark.parametrize(
    ("name", "start", "learning_rate", "epochs", "augmentation", "aux_loss"), CURRICULUM
)
def test_the_settings_of_the_curriculum(name, start, learning_rate, epochs, augmentation, aux_loss):
    cfg = composed("recipe=seed", f"stage={name}", hydra=True)
    assert cfg.stage.name == name
    assert cfg.stage.fine_tune_start == start
    assert cfg.stage.learning_rate == cfg.optimizer.function.lr == learning_rate
    assert cfg.stage.epochs == cfg.trainer.max_epochs == epochs
    assert len(cfg.augmentation.transforms) == (4 if augmentation == "drone" else 0)
    assert cfg.stage.aux_loss is cfg.model.network.aux_head is aux_loss


def test_the_stages_are_a_chain():
    assert [composed(f"stage={stage}").stage.previous for stage in STAGES] == [None, *STAGES[:-1]]


DECODER = "runs/default/decoder/train/checkpoints/best.ckpt"


@pytest.mark.parametrize(
    ("command", "starts", "writes"),
    [
        ("", None, "runs/default/head/train"),
        ("stage=aspp", DECODER, "runs/default/aspp/train"),
        (
            "stage=full stage.previous=aspp",
            "runs/default/aspp/train/checkpoints/best.ckpt",
            "runs/default/full/train",
        ),
        ("stage=aspp run_name=b stage.from_run=default", DECODER, "runs/b/aspp/train"),
        (
            "stage=aspp run_name=b",
            "runs/b/decoder/train/checkpoints/best.ckpt",
            "runs/b/aspp/train",
        ),
        ("stage=aspp stage.init_checkpoint=x.ckpt", "x.ckpt", "runs/default/aspp/train"),
        (
            "stage=aspp stage.load_from=last",
            DECODER.replace("best", "last"),
            "runs/default/aspp/train",
        ),
        (
            "stage=aspp paths.runs_dir=/elsewhere",
            "/elsewhere/default/decoder/train/checkpoints/best.ckpt",
            "/elsewhere/default/aspp/train",
        ),
    ],
)
def test_where_a_stage_starts_and_writes(command, starts, writes):
    cfg = composed(*command.split())
    assert (cfg.stage.init_checkpoint, cfg.paths.output_dir) == (starts, writes)
    assert cfg.callbacks.checkpoint.folder == f"{writes}/checkpoints"


def test_in_a_multirun_each_stage_starts_from_the_one_before_it():
    jobs = swept(f"stage={','.join(STAGES)}")
    folders = [f"runs/default/{stage}/train" for stage in STAGES]
    assert [job["writes"] for job in jobs] == folders
    before = [f"{folder}/checkpoints/best.ckpt" for folder in folders[:-1]]
    assert [job["starts"] for job in jobs] == [None, *before]


def test_a_sweep_starts_from_one_predecessor_and_writes_to_one_folder_per_job():
    jobs = swept("stage=aspp", "stage.learning_rate=4e-3,8e-3", "seed=0,1", "trainer=cpu")
    assert {job["starts"] for job in jobs} == {DECODER}
    assert [job["writes"] for job in jobs] == [
        f"runs/default/aspp/seed={seed},stage.learning_rate={rate}/train"
        for rate in ("0.004", "0.008")
        for seed in (0, 1)
    ]


def test_evaluate_reads_what_the_stage_wrote():
    cfg = composed("task=evaluate", "stage=full", "run_name=b")
    assert cfg.checkpoint == "runs/b/full/train/checkpoints/best.ckpt"
    assert cfg.paths.output_dir == "runs/b/full/evaluate"
