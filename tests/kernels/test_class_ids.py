import pytest
import torch

from aerialseg.errors import DataError
from aerialseg.kernels import class_ids
from aerialseg.kernels.class_ids import IGNORED, count_ids, labels_of, reads_without_waiting


@pytest.fixture(params=["cpu", "accelerator"])
def device_kind(request, monkeypatch):
    if request.param == "accelerator":
        monkeypatch.setattr(class_ids, "reads_without_waiting", lambda tensor: False)
    return request.param


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int64])
def test_ids_are_counted(device_kind, dtype):
    ids = torch.tensor([[0, 3, 3], [5, 0, 3]], dtype=dtype)
    counts = count_ids(ids, 7)
    assert counts.dtype == torch.int64
    assert counts.tolist() == [2, 0, 0, 3, 0, 1, 0]


def test_ignored_pixels_get_a_label_of_their_own(device_kind):
    target = torch.tensor([[0, 255], [2, 255]], dtype=torch.uint8)
    assert labels_of(target, 3, 255).tolist() == [[0, IGNORED], [2, IGNORED]]


def test_ids_that_are_no_class_are_refused_where_they_can_be_read(device_kind):
    target = torch.tensor([0, 3, -2, 255])
    if device_kind == "cpu":
        with pytest.raises(DataError, match=r"2 pixels have the ids \[-2, 3\]; wanted 0 to 2"):
            labels_of(target, 3, 255)
    else:
        assert labels_of(target, 3, 255).tolist() == [0, IGNORED, IGNORED, IGNORED]


def test_only_the_cpu_is_read_without_waiting():
    assert reads_without_waiting(torch.zeros(1))
    assert not reads_without_waiting(torch.zeros(1, device="meta"))
