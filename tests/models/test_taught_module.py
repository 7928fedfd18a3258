"""A module that is taught: nothing of its teachers is kept, and training is exact."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from aerialseg.callbacks.checkpoint import InMemoryCheckpoint
from aerialseg.losses import CrossEntropyLoss
from aerialseg.models.distillation import Distillation
from helpers.comparison import same
from helpers.resuming import assert_same_run, fit
from helpers.teachers import (
    IMAGES,
    numpy_divergence,
    numpy_softmax,
    teacher,
)
from helpers.tiny_training import (
    CLASSES,
    RaiseAt,
    make_data,
    make_module,
    make_trainer,
    small_network,
)


def taught_module(network=None, *, weight=0.5, **changes):
    """A small network with a teacher whose dropout and BatchNorm would show train mode."""
    known = small_network(5).train()
    with torch.no_grad():
        known(torch.randn(4, 3, 24, 32))
    taught = Distillation([teacher(known)], weight=weight, temperature=2.0)
    network = small_network() if network is None else network
    return make_module(network, distillation=taught, **changes), known


def test_checkpoints_optimizers_and_counts_know_the_student_alone():
    module, known = taught_module()
    plain = make_module()
    assert module.state_dict().keys() == plain.state_dict().keys()
    assert [n for n, _ in module.named_parameters()] == [n for n, _ in plain.named_parameters()]
    assert [n for n, _ in module.named_buffers()] == [n for n, _ in plain.named_buffers()]
    groups = module.configure_optimizers()["optimizer"].param_groups
    held = {id(parameter) for group in groups for parameter in group["params"]}
    assert held.isdisjoint(map(id, known.parameters()))
    module.load_state_dict(plain.state_dict())


def test_the_teacher_moves_with_the_module():
    module, known = taught_module()
    module.double()
    assert {p.dtype for p in known.parameters()} == {torch.float64}
    module.to("meta")
    (first,) = module.distillation.teachers
    held = [*first.network.parameters(), *first.network.buffers(), first.mean, first.class_order]
    assert {tensor.device.type for tensor in held} == {"meta"}


def test_the_teacher_stays_in_eval_mode_and_without_gradients():
    module, known = taught_module()
    module.train()
    assert not any(part.training for part in known.modules())
    assert not any(p.requires_grad for p in known.parameters())
    assert torch.equal(*(module.distillation.teachers[0](IMAGES) for _ in range(2)))


def step(module, monkeypatch, batch):
    monkeypatch.setattr(module, "log", lambda *given, **options: None)
    return module.eval().training_step(batch, 0)


def test_the_main_head_alone_is_taught(monkeypatch):
    mask = torch.randint(0, 3, (2, 4, 6), generator=torch.Generator().manual_seed(1))
    batch = {"image": IMAGES, "mask": mask.byte()}
    module, known = taught_module(weight=0.3)
    by_labels = step(make_module(), monkeypatch, batch).item()
    with torch.no_grad():
        mine, its = (n.eval()(module.normalised(IMAGES))["out"] for n in (module.network, known))
    divergence = numpy_divergence(numpy_softmax(its.double(), 2.0), mine.double(), 2.0)
    expected = 0.7 * by_labels + 0.3 * 4 * divergence
    assert step(module, monkeypatch, batch).item() == pytest.approx(expected, rel=1e-5)


def test_training_leaves_the_teacher_as_it_is_and_out_of_the_checkpoint(tmp_path):
    module, known = taught_module()
    before = {name: tensor.clone() for name, tensor in known.state_dict().items()}
    student = {name: tensor.clone() for name, tensor in module.network.state_dict().items()}
    trainer = make_trainer([InMemoryCheckpoint(str(tmp_path / "run"))], epochs=2)
    trainer.fit(module, make_data(tmp_path / "data"))
    assert same(known.state_dict(), before)
    assert not same(module.network.state_dict(), student)
    kept = torch.load(tmp_path / "run/last.ckpt", weights_only=True)
    assert set(kept["state_dict"]) == {f"network.{name}" for name in student}


@pytest.mark.parametrize("precision", ["bf16-mixed", "64-true"])
def test_other_precisions_of_training_are_those_of_the_teacher_too(tmp_path, precision):
    losses = []
    for chosen in ("32-true", precision):
        module, _ = taught_module(small_network(aux_head=False), weight=1.0)
        trainer = make_trainer(epochs=1, precision=chosen, enable_checkpointing=False)
        trainer.fit(module, make_data(tmp_path))
        losses.append(trainer.callback_metrics["train/loss"].item())
    assert losses[1] == pytest.approx(losses[0], rel=0.03)


def test_the_validation_loss_is_that_of_the_labels(tmp_path):
    data = make_data(tmp_path)
    modules = (taught_module()[0], make_module())
    trainer = make_trainer(enable_checkpointing=False)
    losses = [trainer.validate(m, data, verbose=False)[0]["val/loss"] for m in modules]
    assert losses[0] == losses[1]


class NearestColour(nn.Module):
    """Knows the classes of the tiny data by their colours."""

    def forward(self, x):
        colours = torch.tensor(list(CLASSES.values())) * 0.7 + 30
        distances = [((x * 255 - c.view(1, 3, 1, 1)) ** 2).sum(1) for c in colours]
        return {"out": -torch.stack(distances, 1) / 1000}


def test_without_any_label_the_colours_of_the_teacher_are_learned(tmp_path, monkeypatch):
    knows = teacher(NearestColour(), mean=(0, 0, 0), std=(1, 1, 1))
    taught = Distillation([knows], weight=0.9, temperature=1.0)
    module = make_module(
        small_network(aux_head=False),
        loss=CrossEntropyLoss(),
        optimizer=partial(torch.optim.AdamW, lr=0.02),
        scheduler=None,
        distillation=taught,
    )
    monkeypatch.setattr(module, "log", lambda *given, **options: None)
    data = make_data(tmp_path, count=12)
    data.prepare()
    optimizer = module.train().configure_optimizers()
    for epoch in range(8):
        for batch in data.train_dataloader():
            nothing = batch | {"mask": torch.full_like(batch["mask"], 255)}
            optimizer.zero_grad()
            module.training_step(nothing, epoch).backward()
            optimizer.step()
    with torch.no_grad():
        batches = [(b["mask"], module.eval()(b["image"])["out"]) for b in data.val_dataloader()]
    right = [(logits.argmax(1) == mask).float().mean().item() for mask, logits in batches]
    assert np.mean(right) > 0.95


@pytest.mark.parametrize("moment", [2, 3])
def test_a_resumed_run_ends_as_one_that_was_never_stopped(tmp_path, moment):
    whole, parts, data = tmp_path / "whole", tmp_path / "parts", tmp_path / "data"

    def taught():
        return taught_module()[0].distillation

    fit(whole, data, distillation=taught())
    with pytest.raises(RuntimeError):
        fit(parts, data, extra=[RaiseAt(moment, RuntimeError())], distillation=taught())
    fit(parts, data, resume=True, seed=1, distillation=taught())
    assert_same_run(whole, parts)
    fit(tmp_path / "plain", data)
    with pytest.raises(AssertionError):
        assert_same_run(whole, tmp_path / "plain")
