import os
import signal

import pytest
import torch
from lightning_fabric.utilities.exceptions import MisconfigurationException

from aerialseg.errors import ConfigError, DataError, TrainingError
from aerialseg.training.failures import explained_failures
from helpers.systems import needs_linux
from helpers.tiny_training import make_data, make_module


def test_running_out_of_memory_says_what_to_change(tmp_path):
    data = make_data(tmp_path, batch_size=4, image_min_size=24)
    with pytest.raises(TrainingError) as error, explained_failures(make_module(), data):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
    assert error.value.problems == (
        "stage aspp: the device is out of memory with data.batch_size=4 and "
        "data.image_min_size=24; set data.batch_size=2 with trainer.accumulate_grad_batches=2, a "
        "smaller data.image_min_size, or trainer.precision=16-mixed",
    )


def test_running_out_of_memory_with_crops_names_their_size(tmp_path):
    data = make_data(tmp_path, batch_size=4, crop_size=[16, 20])
    with pytest.raises(TrainingError) as error, explained_failures(make_module(), data):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
    assert "data.crop_size=[16, 20]" in error.value.problems[0]
    assert "a smaller data.crop_size, or" in error.value.problems[0]


def test_any_other_failure_stays_what_it_is(tmp_path):
    data = make_data(tmp_path)
    with (
        pytest.raises(RuntimeError, match="mat1 and mat2"),
        explained_failures(make_module(), data),
    ):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")


@pytest.mark.parametrize("kind", [MisconfigurationException, ModuleNotFoundError])
def test_what_a_callback_refuses_is_one_line(tmp_path, kind):
    data = make_data(tmp_path)
    with pytest.raises(ConfigError) as error, explained_failures(make_module(), data):
        raise kind("Cannot use `DeviceStatsMonitor`\n  without psutil.")
    assert error.value.problems == (
        "trainer, callbacks or logger: Cannot use `DeviceStatsMonitor` without psutil.",
    )


def test_an_operation_that_is_not_deterministic_says_what_to_change(tmp_path):
    data = make_data(tmp_path)
    with pytest.raises(TrainingError) as error, explained_failures(make_module(), data):
        raise RuntimeError(
            "upsample_bilinear2d_backward does not have a deterministic implementation, but you "
            "set 'torch.use_deterministic_algorithms(True)'."
        )
    assert error.value.problems == (
        "trainer.deterministic: upsample_bilinear2d_backward has no deterministic implementation "
        "on this device; set trainer.deterministic=warn",
    )


def test_a_loss_that_needs_int64_is_told_how_to_convert(tmp_path):
    logits, target = torch.zeros(1, 3, 4, 4), torch.zeros(1, 4, 4, dtype=torch.uint8)
    with (
        pytest.raises(TrainingError) as error,
        explained_failures(make_module(), make_data(tmp_path)),
    ):
        torch.nn.functional.cross_entropy(logits, target)
    assert error.value.problems == (
        "loss.function: DiceCrossEntropyLoss raises RuntimeError: expected scalar type Long but "
        "found Byte; it is called with (N, C, h, w) float logits and (N, H, W) uint8 class ids; "
        "convert them by target.long()",
    )


@pytest.mark.parametrize(
    "wrong",
    [
        lambda ids: torch.nn.functional.one_hot(ids, 3),
        lambda ids: torch.zeros(1, 3, 4, 4).gather(1, ids[:, None]),
    ],
)
def test_other_operations_that_need_int64_say_so_too(tmp_path, wrong):
    with (
        pytest.raises(TrainingError, match=r"convert them by target\.long\(\)$"),
        explained_failures(make_module(), make_data(tmp_path)),
    ):
        wrong(torch.zeros(1, 4, 4, dtype=torch.uint8))


@needs_linux
def test_a_connection_that_breaks_before_torch_hears_of_a_death_names_the_worker(tmp_path):
    data = make_data(tmp_path, num_workers=1)
    batches = iter(data.train_dataloader())
    next(batches)
    (worker,) = batches._workers
    of_torch = signal.signal(signal.SIGCHLD, lambda *_: None)  # who is late in this story
    try:
        os.kill(worker.pid, signal.SIGKILL)
        os.waitid(os.P_PID, worker.pid, os.WEXITED | os.WNOWAIT)
        with pytest.raises(DataError) as error, explained_failures(make_module(), data):
            raise ConnectionResetError(104, "Connection reset by peer")
    finally:
        batches._shutdown_workers()
        signal.signal(signal.SIGCHLD, of_torch)
    (line,) = error.value.problems
    assert line.startswith("a process that loads images died (Killed) ")


def test_a_broken_connection_of_something_else_stays_what_it_is(tmp_path):
    data = make_data(tmp_path)
    with (
        pytest.raises(ConnectionResetError),
        explained_failures(make_module(), data),
    ):
        raise ConnectionResetError(104, "Connection reset by peer")
