"""A training step with and without custom gradients, against the formulas in double precision."""

from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from aerialseg.kernels.atrous import AtrousConv2d, use_custom_gradients
from aerialseg.losses import DiceCrossEntropyLoss
from helpers.tiny_training import describe_run, make_data, make_module, make_trainer

WEIGHTS = [0.5, 1.0, 2.0]
RATE, AUX_WEIGHT = 0.05, 0.4


class DilatedNetwork(nn.Module):
    """Dense and depthwise dilated convolutions, and logits at half the size of the image."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, stride=2, padding=1)
        self.depthwise = nn.Conv2d(6, 6, 3, padding=2, dilation=2, groups=6, bias=False)
        self.dense = nn.Conv2d(6, 5, 3, padding=4, dilation=4)
        self.classifier = nn.Conv2d(5, 3, 1)
        self.aux_classifier = nn.Conv2d(6, 3, 1)

    def forward(self, x):
        features = F.relu(self.depthwise(F.relu(self.stem(x))))
        logits = self.classifier(F.relu(self.dense(features)))
        return {"out": logits, "aux": self.aux_classifier(features)}


def dilated_network():
    torch.manual_seed(0)
    return DilatedNetwork()


def plain_loss(logits, target):
    """Over one-hot maps, as the two formulas are written; every class is in the target."""
    full = F.interpolate(logits, target.shape[1:], mode="bilinear", align_corners=False)
    probability, truth = full.softmax(1), F.one_hot(target, 3).movedim(-1, 1).double()
    overlap, total = (probability * truth).sum((0, 2, 3)), (probability + truth).sum((0, 2, 3))
    dice = 1 - ((2 * overlap + 1) / (total + 1)).mean()
    return dice + F.cross_entropy(full, target, torch.tensor(WEIGHTS).double())


def plain_step(batch):
    """The network's parameters after one step of gradient descent, without this project's code."""
    network, description = dilated_network().double(), describe_run()
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (description.mean, description.std))
    logits = network((batch["image"].double() / 255 - mean) / std)
    target = batch["mask"].long()
    loss = plain_loss(logits["out"], target) + AUX_WEIGHT * plain_loss(logits["aux"], target)
    loss.backward()
    with torch.no_grad():
        return loss.item(), {n: p - RATE * p.grad for n, p in network.named_parameters()}


def our_module(custom_gradients, **changes):
    network = dilated_network()
    if custom_gradients:
        use_custom_gradients(network)
    loss = DiceCrossEntropyLoss(class_weights=WEIGHTS, custom_gradients=custom_gradients)
    groups = ["stem", ["depthwise", "dense"], ["classifier", "aux_classifier"]]
    return make_module(network, groups=groups, loss=loss, **changes)


@pytest.mark.parametrize("size", [(16, 20), (15, 21)])
def test_one_step_moves_the_parameters_as_the_formulas_say(custom_gradients, size, monkeypatch):
    generator = torch.Generator().manual_seed(1)
    image = torch.randint(0, 256, (2, 3, *size), dtype=torch.uint8, generator=generator)
    mask = torch.randint(0, 3, (2, *size), dtype=torch.uint8, generator=generator)
    batch = {"image": image, "mask": mask}
    sgd = partial(torch.optim.SGD, lr=RATE)
    module = our_module(custom_gradients, optimizer=sgd, scheduler=None, aux_weight=AUX_WEIGHT)
    monkeypatch.setattr(module, "log", lambda *given, **options: None)
    kinds = {type(part) for part in (module.network.depthwise, module.network.dense)}
    assert kinds == {AtrousConv2d if custom_gradients else nn.Conv2d}

    optimizer = module.configure_optimizers()
    loss = module.training_step(batch, 0)
    loss.backward()
    optimizer.step()
    expected_loss, expected = plain_step(batch)
    assert loss.item() == pytest.approx(expected_loss, rel=1e-6)
    for name, parameter in module.network.named_parameters():
        torch.testing.assert_close(parameter.double(), expected[name], rtol=1e-5, atol=1e-6)


def test_whole_trainings_with_and_without_end_alike(tmp_path):
    states = []
    for custom_gradients in (True, False):
        module = our_module(custom_gradients)
        trainer = make_trainer(epochs=2, enable_checkpointing=False)
        trainer.fit(module, make_data(tmp_path / "data"))
        states.append(module.state_dict())
    assert states[0].keys() == states[1].keys()
    for name, tensor in states[0].items():
        torch.testing.assert_close(states[1][name], tensor, rtol=1e-4, atol=1e-5)
