"""What would take the validation or the checkpoint away is refused by name."""

import pytest

from aerialseg.config.trainer_rules import seconds_of
from aerialseg.errors import ConfigError
from helpers.composing import lines_for_values

SHARE = "wanted a share of the batches up to 1.0, or a whole number of batches"
REFUSED = {
    "fast_dev_run=true": "choose trainer=debug",
    "fast_dev_run=3": "choose trainer=debug",
    "overfit_batches=0.5": "set trainer.limit_train_batches",
    "enable_checkpointing=false": "set callbacks.checkpoint.every_n_epochs",
    "barebones=true": "leave it out",
    "max_steps=10": "set stage.epochs instead",
    "min_steps=10": "set trainer.min_epochs instead",
    "plugins=[{_target_:pytorch_lightning.plugins.io.AsyncCheckpointIO}]": "leave it out",
    "model_registry=mine": "leave it out",
    "max_epochs=-1": "is out of range, wanted 1 or more; set stage.epochs",
    "max_epochs=null": "is out of range, wanted 1 or more; set stage.epochs",
    "min_epochs=31": "is more than the 30 epochs of trainer.max_epochs",
    "limit_train_batches=0": SHARE,
    "limit_train_batches=1.5": SHARE,
    "limit_val_batches=0": "set trainer.limit_val_batches=1",
    "limit_val_batches=0.0": "set trainer.limit_val_batches=1",
    "check_val_every_n_epoch=31": "so none would be validated; set 30 or less",
    "check_val_every_n_epoch=null": "is out of range, wanted 1 or more",
    "val_check_interval='00:00:10:00'": SHARE,
    "val_check_interval={minutes:10}": SHARE,
    "val_check_interval=0": SHARE,
    "precision=64": "set trainer.precision=32, 16-mixed or bf16-mixed",
    "precision=64-true": "set trainer.precision=32, 16-mixed or bf16-mixed",
    "precision=bf16-true": "set trainer.precision=32, 16-mixed or bf16-mixed",
    "gradient_clip_val=-1": "is out of range, wanted 0 (no clipping) or more",
    "gradient_clip_algorithm=nrom": "is not one of norm, value",
    "accumulate_grad_batches=0": "is out of range, wanted 1 or more",
    "num_sanity_val_steps=-2": "is out of range, wanted -1 (all batches), 0 (none) or more",
    "max_time='5 hours'": "wanted 'DD:HH:MM:SS' in quotes, or a mapping such as {hours: 5}",
    "max_time={hour:5}": "wanted 'DD:HH:MM:SS' in quotes, or a mapping such as {hours: 5}",
    "max_time='00:00:00:00'": "wanted 'DD:HH:MM:SS' in quotes, or a mapping such as {hours: 5}",
}


@pytest.mark.parametrize(("override", "end"), REFUSED.items(), ids=REFUSED)
def test_one_line_names_the_argument_and_the_alternative(override, end):
    (line,) = lines_for_values("recipe=seed", f"++trainer.{override}")
    assert line.startswith(f"config error: trainer.{override.partition('=')[0]}: ")
    assert line.endswith(end)


@pytest.mark.parametrize(
    "override",
    [
        *("fast_dev_run=false", "overfit_batches=0.0", "max_steps=-1", "plugins=null"),
        *("min_epochs=30", "limit_val_batches=1", "limit_val_batches=1.0", "limit_val_batches=0.5"),
        *("check_val_every_n_epoch=30", "val_check_interval=0.5", "val_check_interval=2"),
        *("precision=bf16-mixed", "precision=null", "precision=16", "gradient_clip_val=null"),
        *("max_time={hours:5}", "max_time='00:12:00:00'", "max_time=null", "deterministic=warn"),
        *("gradient_clip_algorithm=value", "profiler=simple", "num_sanity_val_steps=-1"),
    ],
)
def test_what_spoils_nothing_is_taken(override):
    assert lines_for_values("recipe=seed", f"++trainer.{override}") == []


def test_every_wrong_argument_is_reported_at_once():
    found = lines_for_values("++trainer.barebones=true", "trainer.precision=64", "++trainer.zz=1")
    assert len(found) == 3


def test_a_fused_optimizer_cannot_clip_in_mixed_precision():
    mixed = "trainer.precision=bf16-mixed"
    assert lines_for_values("optimizer.function.fused=true", mixed) == [
        "config error: optimizer.function.fused: a fused optimizer cannot clip gradients in mixed "
        "precision; set optimizer.function.fused=null or trainer.gradient_clip_val=null"
    ]
    assert (
        lines_for_values("optimizer.function.fused=true", mixed, "trainer.gradient_clip_val=null")
        == []
    )


@pytest.mark.parametrize("momentum", ["5", "1", "-0.1", "inf"])
def test_a_momentum_of_one_or_more_is_out_of_range(momentum):
    (line,) = lines_for_values("optimizer=sgd", f"optimizer.function.momentum={momentum}")
    assert line.startswith("config error: optimizer.function.momentum: ")
    assert line.endswith(" is out of range, wanted 0 (none) or more and less than 1")


def test_a_run_needs_its_checkpoint_callback_where_the_next_stage_looks():
    missing = (
        "config error: callbacks.checkpoint: is missing; a run needs one InMemoryCheckpoint of "
        "this name, its checkpoints are the result"
    )
    assert lines_for_values("~callbacks.checkpoint") == [missing]
    kind = "pytorch_lightning.callbacks.ModelCheckpoint"
    assert lines_for_values("~callbacks.checkpoint", f"+callbacks.mine={{_target_: {kind}}}") == [
        missing
    ]
    (line,) = lines_for_values("callbacks.checkpoint.folder=elsewhere")
    assert line.startswith("config error: callbacks.checkpoint.folder: must be ")


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("StochasticWeightAveraging, swa_lrs: 0.1", "leave it out"),
        ("WeightAveraging", "choose callbacks=ema, which compares both"),
        ("BackboneFinetuning", "leave it out, stages unfreeze layers"),
        ("Timer", "set trainer.max_time"),
        ("BatchSizeFinder", "set data.batch_size"),
    ],
)
def test_callbacks_that_would_spoil_a_stage_are_refused(name, advice):
    node = f"{{_target_: pytorch_lightning.callbacks.{name}}}"
    (line,) = lines_for_values(f"+callbacks.mine={node}")
    assert line.startswith(f"config error: callbacks.mine: {name.partition(',')[0]} ")
    assert line.endswith(advice)


def test_durations_are_read_as_lightning_reads_them():
    assert seconds_of("01:02:03:04") == 93784
    assert seconds_of({"hours": 2, "minutes": 1}) == 7260
    assert seconds_of(None) is None
    with pytest.raises(ConfigError):
        seconds_of({"hours": -1})


def test_an_average_is_chosen_by_a_validation():
    average = "aerialseg.callbacks.ema.ExponentialMovingAverage"
    node, monitor = f"+callbacks.ema={{_target_: {average}}}", "callbacks.checkpoint.monitor"
    assert lines_for_values(node) == []
    assert lines_for_values(f"{monitor}=train/dice") == []
    assert lines_for_values(node, f"{monitor}=train/dice") == [
        f"config error: {monitor}: 'train/dice' is unknown of the averaged weights of "
        "callbacks.ema, which are not trained; set callbacks.checkpoint.monitor=val/dice"
    ]


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("decay=1", "1 is out of range, wanted "),
        ("horizon=0", "0 is out of range, wanted "),
        ("horizon=2", "2 is out of range, wanted "),
        ("decays=0.9", "takes no 'decays'; did you mean 'decay'?"),
    ],
)
def test_arguments_of_the_average_are_checked(typed, wanted):
    (line,) = lines_for_values("callbacks=ema", f"++callbacks.ema.{typed}")
    assert wanted in line
