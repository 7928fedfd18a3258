import pytest
import torch

from aerialseg.errors import TrainingError
from aerialseg.training.failures import explained_failures
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


def test_any_other_failure_stays_what_it_is(tmp_path):
    data = make_data(tmp_path)
    with (
        pytest.raises(RuntimeError, match="mat1 and mat2"),
        explained_failures(make_module(), data),
    ):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")
