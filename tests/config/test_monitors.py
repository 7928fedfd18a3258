"""What callbacks and the scheduler watch is logged, in time, and watched the right way round."""

import pytest

from helpers.composing import lines, lines_for_values

WATCH = "callbacks.early_stopping.monitor"
MODE = "callbacks.early_stopping.mode"


@pytest.mark.parametrize(
    "name", ["train/dice", "val/miou_absent_one", "val/iou_car", "val/accuracy"]
)
def test_a_score_is_better_when_it_is_higher(name):
    assert lines_for_values(f"{WATCH}={name}", f"{MODE}=max") == []
    assert lines_for_values(f"{WATCH}={name}") == [
        f"config error: {MODE}: min takes the worst {name} for the best, higher is better; "
        f"set {MODE}=max"
    ]


@pytest.mark.parametrize("name", ["train/loss", "val/loss"])
def test_a_loss_is_better_when_it_is_lower(name):
    assert lines_for_values(f"{WATCH}={name}") == []
    assert lines_for_values(f"{WATCH}={name}", f"{MODE}=max") == [
        f"config error: {MODE}: max takes the worst {name} for the best, lower is better; "
        f"set {MODE}=min"
    ]


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("early_stopping.mode=abc", "'abc' is not one of min, max; set {}=min"),
        ("early_stopping.mode=''", "'' is not one of min, max; set {}=min"),
        ("early_stopping.patience=-1", "-1 is out of range, wanted 0 or more"),
        ("early_stopping.patience=1.5", "1.5 is not a whole number"),
        ("early_stopping.min_delta=-0.1", "-0.1 is out of range, wanted 0 or more"),
        ("early_stopping.min_delta=.nan", "'.nan' is not a number"),
        ("early_stopping.stopping_threshold=abc", "'abc' is not a number or null"),
        ("early_stopping.verbose=0", "0 is not true or false"),
        ("checkpoint.mode=abc", "'abc' is not one of min, max"),
        ("checkpoint.monitor=null", "null is not text"),
        ("checkpoint.every_n_epochs=0", "0 is out of range, wanted 1 or more"),
        ("guard.skip_batches=-1", "-1 is out of range, wanted 0 or more"),
        ("samples.count=0", "0 is out of range, wanted 1 or more"),
        ("samples.every_n_epochs=null", "null is not a whole number"),
        ("learning_rate.logging_interval=abc", "'abc' is not one of step, epoch or null"),
        ("forecast.stage=abc", "aerialseg.callbacks.remaining_time.RemainingTime takes no 'stage'"),
    ],
)
def test_a_silly_value_of_a_callback_is_one_line(typed, wanted):
    key = "callbacks." + typed.partition("=")[0]
    assert lines_for_values(f"callbacks.{typed}") == [f"config error: {key}: {wanted.format(key)}"]


@pytest.mark.parametrize(
    "typed",
    [
        *("early_stopping.patience=0", "early_stopping.patience=100000000000"),
        *("early_stopping.min_delta=100000000000", "early_stopping.stopping_threshold=null"),
        *("checkpoint.every_n_epochs=100000000000", "guard.skip_batches=100000000000"),
        *("samples.count=100000000000", "learning_rate.logging_interval=null"),
    ],
)
def test_an_extreme_value_of_a_callback_is_let_through(typed):
    assert lines_for_values(f"callbacks.{typed}") == []


def test_the_checkpoint_and_callbacks_of_the_users_choice_are_checked_too():
    found = lines_for_values(
        "callbacks.checkpoint.mode=min",
        "+callbacks.mine={_target_: pytorch_lightning.callbacks.EarlyStopping, monitor: val/dice}",
    )
    assert found == [  # that of mine is the default of its class
        "config error: callbacks.checkpoint.mode: min takes the worst val/dice for the best, "
        "higher is better; set callbacks.checkpoint.mode=max",
        "config error: callbacks.mine.mode: min takes the worst val/dice for the best, "
        "higher is better; set callbacks.mine.mode=max",
    ]


def test_the_monitor_of_a_scheduler_is_checked_like_that_of_a_callback():
    assert lines("scheduler=plateau") == []
    assert lines("scheduler=plateau", "scheduler.monitor=val/dice", "scheduler.mode=max") == []
    assert lines("scheduler=plateau", "scheduler.monitor=val/dice") == [
        "config error: scheduler.mode: min takes the worst val/dice for the best, higher is "
        "better; set scheduler.mode=max"
    ]
    assert lines("scheduler=plateau", "scheduler.monitor=val/los") == [
        "config error: scheduler.monitor: 'val/los' is never logged; did you mean 'val/loss'?"
    ]


def test_a_scheduler_for_a_plateau_needs_a_monitor_and_no_other_takes_one():
    assert lines("scheduler=plateau", "~scheduler.monitor") == [
        "config error: scheduler.monitor: must be set: the logged value that lowers the learning "
        "rate when it stands still, such as val/loss with scheduler.mode=min"
    ]
    assert lines("scheduler=cosine", "scheduler.monitor=val/loss") == [
        "config error: scheduler.monitor: aerialseg.models.schedules.Cosine takes no 'monitor'; "
        "known: end_factor"
    ]


def test_early_stopping_looks_when_its_value_is_there():
    assert lines_for_values(f"{WATCH}=train/loss") == []
    for change in ("+trainer.check_val_every_n_epoch=2", "+trainer.val_check_interval=0.5"):
        assert lines_for_values(f"{WATCH}=train/loss", change) == [
            f"config error: {WATCH}: train/loss is logged at the end of an epoch, later than it is "
            "asked for; set callbacks.early_stopping.check_on_train_epoch_end=true"
        ]
        at_end = "+callbacks.early_stopping.check_on_train_epoch_end=true"
        assert lines_for_values(f"{WATCH}=train/loss", change, at_end) == []
    assert lines_for_values(at_end, "+trainer.check_val_every_n_epoch=2") == [
        f"config error: {WATCH}: val/loss is logged every 2 epochs, but asked for after each; set "
        "callbacks.early_stopping.check_on_train_epoch_end=false"
    ]


def test_a_class_is_monitored_under_the_name_of_its_logged_score():
    table = "+data.classes={Small Car:[1,2,3]}"
    assert lines_for_values(table, f"{WATCH}=val/dice_small_car", f"{MODE}=max") == []
    assert lines_for_values(table, f"{WATCH}=val/dice_small_cat") == [
        f"config error: {WATCH}: 'val/dice_small_cat' is never logged; "
        "did you mean 'val/dice_small_car'?"
    ]


def test_any_class_of_a_table_in_a_file_may_be_monitored():
    watch = "callbacks.checkpoint.monitor"
    assert lines("data=folders", f"{watch}=val/dice_roof") == []
    assert lines("data=folders", f"{watch}=val/dcie_roof") != []


def test_the_classes_that_are_trained_are_watched():
    mapped = "data.map_classes={car: vehicle, boat: vehicle}"
    assert lines_for_values(mapped, f"{WATCH}=val/iou_vehicle", f"{MODE}=max") == []
    (line,) = lines_for_values(mapped, f"{WATCH}=val/iou_car", f"{MODE}=max")
    assert line.startswith(f"config error: {WATCH}: 'val/iou_car' is never logged")
