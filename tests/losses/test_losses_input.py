"""What losses take and refuse: types, layouts, devices, arguments and their YAML."""

from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf

from aerialseg import losses
from aerialseg.errors import ConfigError, DataError
from aerialseg.losses import DiceCrossEntropyLoss, FocalLoss
from helpers.all_losses import every_loss
from helpers.loss_formulas import random_batch

CONF = Path(__file__).parents[2] / "conf"


@every_loss
@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int32])
def test_targets_of_any_integer_type(loss, dtype):
    logits, target = random_batch(10)
    assert torch.equal(loss()(logits, target.to(dtype)), loss()(logits, target))


@every_loss
def test_tensors_need_not_be_contiguous(loss):
    logits, target = random_batch(11)
    turned = logits.movedim(1, -1).contiguous().movedim(-1, 1)
    turned_target = target.transpose(1, 2).contiguous().transpose(1, 2)
    assert not turned.is_contiguous()
    torch.testing.assert_close(loss()(turned, turned_target), loss()(logits, target))


@every_loss
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_logits_are_computed_in_float32(loss, dtype):
    # 90,000 pixels: their sum is beyond float16, and adding ones stalls at 256 in bfloat16.
    logits, target = random_batch(12, 3, (1, 300, 300), dtype=torch.float32)
    logits = logits.to(dtype).requires_grad_()
    expected = loss()(logits.detach().double(), target)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = loss()(logits, target)
    value.backward()
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(expected.item(), rel=1e-5)
    assert logits.grad.dtype == dtype
    assert logits.grad.isfinite().all()


@every_loss
@pytest.mark.parametrize("wrong", [4, 254, -1])
def test_refuses_a_target_outside_the_table(loss, wrong):
    logits, target = random_batch(14)
    target[0, 0, :2] = wrong
    with pytest.raises(DataError, match=rf"2 pixels have the ids \[{wrong}\]; wanted 0 to 3"):
        loss()(logits, target)


@every_loss
def test_accelerators_leave_out_what_is_no_class(loss, monkeypatch):
    logits, target = random_batch(14)
    wrong = target.clone()
    target[0, 0, :3], wrong[0, 0, :3] = 255, torch.tensor([4, 254, -1])
    monkeypatch.setattr("aerialseg.kernels.class_ids.reads_without_waiting", lambda tensor: False)
    assert torch.equal(loss()(logits, wrong), loss()(logits, target))


@every_loss
def test_accelerators_are_never_waited_for(loss):
    # A meta tensor has no values: whatever asks for one raises.
    logits = torch.zeros(2, 4, 5, 6, device="meta", requires_grad=True)
    module = loss(class_weights=[1.0, 2.0, 3.0, 4.0]).to("meta")
    module(logits, torch.zeros(2, 5, 6, device="meta", dtype=torch.uint8)).backward()
    assert logits.grad.shape == logits.shape


@every_loss
def test_class_weights_follow_the_module_but_stay_out_of_checkpoints(loss):
    module = loss(class_weights=[1.0, 2.0]).to(torch.float64)
    assert module.class_weights.dtype == torch.float64
    assert module.state_dict() == {}


@every_loss
def test_refuses_what_does_not_fit(loss):
    logits, target = random_batch(15)
    for fewer in (target[:, 1:], target[..., 1:], target[:1], target[0]):
        with pytest.raises(ValueError, match=r"wanted \(N, C, h, w\) and \(N, H, W\)"):
            loss()(logits, fewer)
    with pytest.raises(ValueError, match="3 class weights for 4 classes"):
        loss(class_weights=[1.0, 1.0, 1.0])(logits, target)
    with pytest.raises(ConfigError, match="one number of 0 or more per class"):
        loss(class_weights=[1.0, -1.0])


def test_all_bad_arguments_are_told_at_once():
    with pytest.raises(ConfigError) as error:
        DiceCrossEntropyLoss(dice_weight=-1.0, smooth=float("nan"))
    assert error.value.problems == (
        "loss.function.dice_weight: got -1.0; wanted a number of 0 or more",
        "loss.function.smooth: got nan; wanted a number of 0 or more",
    )
    with pytest.raises(ConfigError, match=r"loss\.function\.gamma: got -0\.5"):
        FocalLoss(gamma=-0.5)


@pytest.mark.parametrize("path", sorted(CONF.glob("loss/*.yaml")), ids=lambda path: path.stem)
def test_yaml_files_build_their_loss(path):
    compute = OmegaConf.load(CONF / "compute/default.yaml")
    text = path.read_text()
    assert text.startswith("# ")
    assert text.splitlines()[0].endswith(f": python run.py loss={path.stem}")
    recipe = OmegaConf.load(CONF / "config.yaml").recipe
    parts = {"compute": compute, "recipe": recipe, "loss": OmegaConf.load(path)}
    config = OmegaConf.create(parts)
    choice = OmegaConf.to_container(config, resolve=True)["loss"]
    assert set(choice) == {"function", "class_weights", "aux_weight"}
    module, _, name = choice["function"].pop("_target_").rpartition(".")
    assert module == losses.__name__
    loss = getattr(losses, name)(class_weights=[1.0] * 4, **choice["function"])
    assert loss(*random_batch(17)).isfinite()
