"""What is chosen for the hardware, and that a compiled network stays the network it was."""

from functools import partialmethod

import pytest
import torch
from torch import nn

from aerialseg.kernels.atrous import AtrousConv2d
from aerialseg.training.hardware import fused, precision, use_hardware
from helpers.tiny_training import make_data, make_module, make_trainer, small_network


@pytest.fixture(autouse=True)
def _put_back():
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    yield
    torch.set_float32_matmul_precision(before[0])
    torch.backends.cudnn.allow_tf32 = before[1]


CHOICES = {"tf32": True, "custom_gradients": True, "compile": False}


@pytest.mark.parametrize(
    ("accelerator", "capability", "chosen"),
    [
        ("auto", None, "32-true"),
        ("cpu", (9, 0), "32-true"),
        ("auto", (9, 0), "bf16-mixed"),
        ("gpu", (8, 0), "bf16-mixed"),
        ("auto", (7, 5), "16-mixed"),
    ],
)
def test_precision_is_what_the_hardware_has(monkeypatch, accelerator, capability, chosen):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: capability is not None)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)
    assert precision(None, accelerator=accelerator) == chosen
    assert precision(32, accelerator=accelerator) == 32


@pytest.mark.parametrize(
    ("asked", "chosen_precision", "decided"),
    [
        (None, "32-true", True),
        (None, 32, True),
        (None, "16-mixed", None),
        (None, "bf16-mixed", None),
        (False, "32-true", False),
        (True, "16-mixed", True),
    ],
)
def test_an_optimizer_is_fused_where_it_can_be_clipped(asked, chosen_precision, decided):
    node = {"_target_": "torch.optim.SGD", "fused": asked}
    assert fused(node, chosen_precision)["fused"] is decided
    assert node["fused"] is asked


def test_an_optimizer_that_cannot_be_fused_is_left_alone():
    node = {"_target_": "torch.optim.LBFGS"}
    assert fused(node, "32-true") == {"_target_": "torch.optim.LBFGS"}


@pytest.mark.parametrize("tf32", [True, False])
def test_tf32_is_a_choice(tf32):
    use_hardware(small_network(), **CHOICES | {"tf32": tf32})
    assert torch.get_float32_matmul_precision() == ("high" if tf32 else "highest")
    assert torch.backends.cudnn.allow_tf32 is tf32


@pytest.mark.parametrize("wanted", [True, False])
def test_custom_gradients_are_a_choice(wanted):
    network = nn.Sequential(nn.Conv2d(3, 4, 3, padding=2, dilation=2))
    use_hardware(network, **CHOICES | {"custom_gradients": wanted})
    assert type(network[0]) is (AtrousConv2d if wanted else nn.Conv2d)


def test_nothing_is_compiled_unasked():
    network = small_network()
    use_hardware(network, **CHOICES)
    assert network._compiled_call_impl is None


@pytest.mark.slow
def test_a_compiled_network_learns_the_same_under_the_same_names(tmp_path, monkeypatch):
    compiled = []

    def eager(model, inputs):
        compiled.append(model)
        return model.forward

    # Tracing is what can go wrong here; generating code would take a minute and a C++ compiler.
    monkeypatch.setattr(nn.Module, "compile", partialmethod(nn.Module.compile, backend=eager))
    states = []
    for wanted in (False, True):
        network = small_network()
        use_hardware(network, **CHOICES | {"compile": wanted})
        module = make_module(network, start=1)
        trainer = make_trainer(epochs=2, enable_checkpointing=False)
        trainer.fit(module, make_data(tmp_path / "data"))
        states.append(module.state_dict())
    assert compiled
    assert states[0].keys() == states[1].keys()
    for name, tensor in states[0].items():
        torch.testing.assert_close(states[1][name], tensor)


@pytest.mark.parametrize("channels_last", [True, False])
def test_layout_is_a_choice_that_changes_no_number(channels_last):
    images = torch.randint(0, 256, (2, 3, 24, 32), dtype=torch.uint8)
    module = make_module(channels_last=channels_last).eval()
    layout = torch.channels_last if channels_last else torch.contiguous_format
    assert module.normalised(images).is_contiguous(memory_format=layout)
    assert module.network.stem[0].weight.is_contiguous(memory_format=layout)
    other = make_module(channels_last=not channels_last).eval()
    torch.testing.assert_close(module(images)["out"], other(images)["out"])


@pytest.mark.parametrize("precision", ["16-mixed", "bf16-mixed", "bf16", 16, "16"])
def test_no_spelling_of_mixed_precision_fuses_the_optimizer(precision):
    assert fused({"fused": None}, precision)["fused"] is None
    assert fused({"fused": None}, 32)["fused"] is True
