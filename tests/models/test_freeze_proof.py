"""Frozen means identical: what training may change of the default network, and how that is seen."""

import pytest
import torch

from aerialseg.models.freeze_plan import FreezePlan
from aerialseg.models.freeze_proof import changed_tensors, frozen_state
from helpers.stages import STAGES


def train_mode(network, groups, start):
    network.train()
    for module in FreezePlan(groups, start).frozen_modules:
        module.eval()


def one_step(network):
    generator = torch.Generator().manual_seed(2)
    logits = network(torch.randn(2, 3, 64, 64, generator=generator))
    optimizer = torch.optim.SGD(
        [p for p in network.parameters() if p.requires_grad], lr=0.1, weight_decay=0.1
    )
    (logits["out"].square().mean() + logits["aux"].square().mean()).backward()
    optimizer.step()


@pytest.mark.parametrize("stage", STAGES)
def test_a_training_step_changes_trained_tensors_and_no_bit_of_frozen_ones(
    mobilenet, groups, settings, stage
):
    start = settings["fine_tune_start"][stage]
    FreezePlan(groups, start).apply()
    train_mode(mobilenet, groups, start)
    before = {name: tensor.clone() for name, tensor in mobilenet.state_dict().items()}
    proof = frozen_state(FreezePlan(groups, start))
    one_step(mobilenet)
    assert changed_tensors(proof, frozen_state(FreezePlan(groups, start))) == []
    changed = changed_tensors(before, mobilenet.state_dict())
    assert set(changed) == set(before) - set(proof)


def test_disabling_gradients_alone_is_detected_as_not_frozen(mobilenet, groups):
    FreezePlan(groups, 17).apply()
    mobilenet.train()
    proof = frozen_state(FreezePlan(groups, 17))
    one_step(mobilenet)
    moved = changed_tensors(proof, frozen_state(FreezePlan(groups, 17)))
    assert len(moved) == 3 * 46  # the statistics and the counter of every BatchNorm
    assert all("running" in name or "num_batches" in name for name in moved)


def test_freezing_sets_eval_mode_at_once(mobilenet, groups):
    FreezePlan(groups, 17).apply()
    assert not any(m.training for group in groups[:17] for m in group.modules)
    assert all(m.training for group in groups[17:] for m in group.modules)


def test_only_trained_groups_are_in_train_mode(mobilenet, groups):
    FreezePlan(groups, 18).apply()
    train_mode(mobilenet, groups, 18)
    modes = {name: module.training for name, module in mobilenet.named_modules()}
    assert not any(
        mode for name, mode in modes.items() if name.startswith(("backbone.", "classifier.0"))
    )
    assert all(modes[f"classifier.{index}"] for index in range(1, 5))
    assert all(modes[f"aux_classifier.{index}"] for index in range(5))


def test_frozen_dropout_is_inactive(mobilenet, groups):
    FreezePlan(groups, 21).apply()
    train_mode(mobilenet, groups, 21)
    image = torch.randn(2, 3, 32, 32)
    first, second = mobilenet(image), mobilenet(image)
    assert torch.equal(first["out"], second["out"])
    assert torch.equal(first["aux"], second["aux"])


def test_the_proof_holds_copies_of_parameters_and_buffers(mobilenet, groups):
    proof = frozen_state(FreezePlan(groups, 17))
    assert set(proof) == {name for name in mobilenet.state_dict() if name.startswith("backbone.")}
    with torch.no_grad():
        mobilenet.get_parameter("backbone.0.0.weight").zero_()
    assert changed_tensors(proof, frozen_state(FreezePlan(groups, 17))) == ["backbone.0.0.weight"]


def test_changes_of_a_single_bit_are_found():
    nan = torch.tensor([float("nan")])
    before = {"nan": nan, "zero": torch.zeros(1), "type": torch.zeros(2), "gone": torch.ones(1)}
    after = {"nan": nan.clone(), "zero": -torch.zeros(1), "type": torch.zeros(2).half()}
    assert changed_tensors(before, after) == ["zero", "type", "gone"]
    assert changed_tensors({}, after) == ["nan", "zero", "type"]
