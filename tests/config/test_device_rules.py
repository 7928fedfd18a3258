"""Training uses one device that this machine has."""

import pytest
from pytorch_lightning.accelerators import CUDAAccelerator

from helpers.composing import lines, lines_for_values


def have_gpus(monkeypatch, count):
    monkeypatch.setattr(CUDAAccelerator, "is_available", staticmethod(lambda: count > 0))
    monkeypatch.setattr(CUDAAccelerator, "auto_device_count", staticmethod(lambda: count))


@pytest.mark.parametrize("name", ["gpu", "cuda", "tpu"])
def test_a_missing_accelerator_is_refused(monkeypatch, name):
    have_gpus(monkeypatch, 0)
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
def test_one_device_may_be_chosen(monkeypatch, devices):
    have_gpus(monkeypatch, 4)
    assert lines_for_values(f"trainer.devices={devices}") == []


@pytest.mark.parametrize("devices", ["[0]", "'0,'"])
@pytest.mark.parametrize("accelerator", ["auto", "cpu"])
def test_the_cpu_has_no_index(monkeypatch, devices, accelerator):
    have_gpus(monkeypatch, 0)
    (line,) = lines_for_values(f"trainer.devices={devices}", f"trainer.accelerator={accelerator}")
    assert line.startswith("config error: trainer.devices: ")
    assert line.endswith(
        " is the index of a GPU, but training is on the CPU; set trainer.devices=1"
    )


def test_several_machines_and_their_strategies_are_refused():
    assert lines_for_values("+trainer.num_nodes=2", "+trainer.strategy=ddp") == [
        "config error: trainer.num_nodes: 2 may mean more than one device; training uses one; "
        "set trainer.num_nodes=1",
        "config error: trainer.strategy: 'ddp' is for several devices; training uses one; "
        "set trainer.strategy=auto",
    ]


@pytest.mark.parametrize("devices", ["[4]", "'4,'", "'-1,'", "[-2]"])
def test_a_gpu_that_is_not_there_is_named(monkeypatch, devices):
    have_gpus(monkeypatch, 4)
    (line,) = lines_for_values(f"trainer.devices={devices}")
    assert line.startswith("config error: trainer.devices: there is no GPU ")
    assert line.endswith("; this machine has 4, counted from 0; set trainer.devices=1")


@pytest.mark.parametrize("devices", ["0", "'0'", "[]", "','"])
def test_no_device_trains_nothing(devices):
    (line,) = lines_for_values(f"trainer.devices={devices}")
    assert line.startswith("config error: trainer.devices: ")
    assert line.endswith(" is no device to train on; set trainer.devices=1")


@pytest.mark.parametrize("devices", ["null", "1.5", "true", "gpu", "'x,'", "{a: 1}"])
def test_what_is_no_number_of_devices_says_what_to_set(devices):
    (line,) = lines_for_values(f"trainer.devices={devices}")
    assert line.startswith("config error: trainer.devices: ")
    assert line.endswith(
        " is neither a number of devices nor the index of a GPU; set trainer.devices=1"
    )
