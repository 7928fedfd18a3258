"""Forecasts from a given pace, against hand-computed numbers, and one real trial."""

import tempfile
from types import SimpleNamespace

import pytest

from aerialseg.callbacks.pace import Pace
from aerialseg.errors import ConfigError
from aerialseg.storage.forecast import Forecast
from aerialseg.training import measure as module_under_test
from aerialseg.training.build import build_data, build_module, build_trainer
from aerialseg.training.measure import measure_stage
from helpers.composing import experiment
from helpers.mapped_files import refuse_while_mapped
from helpers.systems import needs_linux
from helpers.tiny_training import show_images


@pytest.fixture
def measured(tmp_path, monkeypatch):
    """Ten training batches of 0.5 s, four validation batches of 0.25 s, and features."""
    pace = Pace(0.5, 0.25), 3.0
    monkeypatch.setattr(module_under_test, "_run_trial", lambda *arguments, **options: pace)
    data = SimpleNamespace(train_dataloader=lambda: range(10), val_dataloader=lambda: range(4))

    def row(*overrides, keeps_finished=True):
        given = ["trainer=cpu", "stage.epochs=6", f"paths.runs_dir={tmp_path}", "logger=none"]
        config = experiment(*given, *overrides)
        trainer = build_trainer(config)
        return measure_stage(config, None, data, trainer, keeps_finished=keeps_finished)

    return row


def test_the_time_is_the_sum_of_features_steps_and_validations(measured):
    assert measured() == Forecast(
        "head",
        epochs=6,
        epochs_left=6,
        step=0.5,
        validation_batch=0.25,
        features=3.0,
        seconds=3.0 + 6 * (10 * 0.5 + 4 * 0.25),
        at_most=False,
    )


@pytest.mark.parametrize(
    ("overrides", "seconds"),
    [
        (["trainer.max_epochs=2"], 12.0),
        (["+trainer.limit_train_batches=3"], 6 * (1.5 + 1.0)),
        (["+trainer.limit_train_batches=99"], 36.0),
        (["+trainer.limit_train_batches=0.35", "+trainer.limit_val_batches=0.5"], 6 * (1.5 + 0.5)),
        (["+trainer.limit_val_batches=0"], 30.0),
        (["+trainer.check_val_every_n_epoch=4"], 31.0),
    ],
)
def test_limits_of_the_trainer_are_honoured(measured, overrides, seconds):
    assert measured(*overrides).seconds == pytest.approx(3.0 + seconds)


def test_early_stopping_makes_the_time_an_upper_bound(measured):
    assert measured("callbacks.early_stopping.patience=4").at_most is True
    assert measured("callbacks.early_stopping.patience=5").at_most is False


def test_a_finished_stage_takes_no_time_where_it_is_kept(measured, tmp_path):
    folder = tmp_path / "default" / "head" / "train"
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text("{}")
    forecast = measured()
    assert (forecast.epochs_left, forecast.seconds, forecast.step) == (0, 0.0, None)
    assert measured("existing=overwrite").epochs_left == 6
    assert measured(keeps_finished=False) == measured("existing=overwrite")


def test_an_unlimited_number_of_epochs_is_refused(measured):
    with pytest.raises(ConfigError, match=r"trainer\.max_epochs"):
        measured("trainer.max_epochs=-1")


@pytest.mark.slow
@needs_linux
@pytest.mark.filterwarnings("ignore")  # Lightning comments on the number of workers
def test_a_trial_lets_go_of_its_files_and_leaves_none(tmp_path, monkeypatch):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    refuse_while_mapped(monkeypatch)
    config = experiment(
        "experiment=demo",
        *("recipe=seed", "stage.fresh=learn"),  # whole images, whose features can be kept
        "trainer=cpu",
        "logger=none",
        f"data.root={tmp_path / 'scenes'}",
        "data.layout.count=12",
        "data.layout.test_count=0",
        "data.layout.size=[64,96]",
        "data.image_min_size=48",
        "data.batch_size=4",
        "data.num_workers=0",
        "stage.epochs=3",
        "stage.cache_features=on",
        f"paths.runs_dir={tmp_path / 'runs'}",
        f"paths.cache_dir={tmp_path / 'cache'}",
    )
    data = build_data(config)
    module, _ = build_module(config, data)
    show_images(module.network)
    module.train()
    forecast = measure_stage(config, module, data, build_trainer(config), keeps_finished=False)
    assert forecast.features > 0
    assert not list(temporary.iterdir())
