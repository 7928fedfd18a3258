from functools import partial

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from PIL import Image
from torch import nn
from torchmetrics import Metric

from aerialseg.callbacks.checkpoint import InMemoryCheckpoint
from aerialseg.errors import ConfigError
from aerialseg.losses import DiceCrossEntropyLoss
from aerialseg.storage.checkpoints import read_checkpoint, read_description
from helpers.tiny_training import (
    CLASSES,
    describe_run,
    make_data,
    make_module,
    make_trainer,
    random_images,
    small_network,
)


def masks(count=2, size=(8, 10), seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 3, (count, *size), dtype=torch.uint8, generator=generator)


def test_the_optimizer_has_trained_parameters_and_decays_only_kernels():
    module = make_module(start=1)
    optimizer = module.configure_optimizers()["optimizer"]
    held = [id(p) for group in optimizer.param_groups for p in group["params"]]
    learning = [p for p in module.parameters() if p.requires_grad]
    assert sorted(held) == sorted(map(id, learning))
    assert len(learning) < len(list(module.parameters()))
    decay = {id(p): g["weight_decay"] for g in optimizer.param_groups for p in g["params"]}
    assert all(decay[id(p)] == (1e-2 if p.ndim == 4 else 0.0) for p in learning)
    assert {p.ndim for p in learning} == {1, 4}


def test_a_trained_part_with_vectors_only_gets_one_parameter_group():
    network = nn.Sequential()
    network.classifier = nn.BatchNorm2d(3)
    module = make_module(network, groups=["classifier"])
    (group,) = module.configure_optimizers()["optimizer"].param_groups
    assert group["weight_decay"] == 0.0


def test_without_a_scheduler_only_the_optimizer_is_returned():
    assert isinstance(make_module(scheduler=None).configure_optimizers(), torch.optim.Optimizer)


def test_images_are_normalised_inside():
    module = make_module().eval()
    images = random_images()
    mean, std = np.array([0.5, 0.4, 0.3]), np.array([0.2, 0.3, 0.4])
    by_hand = (images.numpy().transpose(0, 2, 3, 1) / 255 - mean) / std
    by_hand = torch.from_numpy(by_hand.transpose(0, 3, 1, 2)).float()
    expected = module.network(by_hand)
    for name, logits in module(images).items():
        torch.testing.assert_close(logits, expected[name], rtol=1e-5, atol=1e-5)


def number(logged):
    return float((logged.compute() if isinstance(logged, Metric) else logged).detach())


def loss_of_step(module, monkeypatch, step, batch):
    logged = {}
    monkeypatch.setattr(module, "log", lambda name, value, **_: logged.update({name: value}))
    result = getattr(module, step)(batch, 0)
    return result, {name: number(value) for name, value in logged.items()}


@pytest.mark.parametrize(("aux_head", "weight"), [(True, 0.5), (True, 0.0), (False, 0.5)])
def test_the_auxiliary_loss_counts_in_training_alone(
    monkeypatch, aux_head, weight, custom_gradients
):
    function = DiceCrossEntropyLoss(custom_gradients=custom_gradients)
    network = small_network(aux_head=aux_head)
    module = make_module(network, aux_weight=weight, loss=function).eval()
    batch = {"image": random_images(), "mask": masks()}
    logits = module(batch["image"])
    main = module.loss(logits["out"], batch["mask"])
    aux = module.loss(logits["aux"], batch["mask"]) if aux_head else 0.0
    loss, logged = loss_of_step(module, monkeypatch, "training_step", batch)
    torch.testing.assert_close(loss, main + weight * aux)
    assert loss.requires_grad
    assert logged == {"train/loss": pytest.approx(loss.item())}
    _, logged = loss_of_step(module, monkeypatch, "validation_step", batch)
    assert logged == {"val/loss": pytest.approx(main.item())}


def dice_by_hand(prediction, truth):
    present = [c for c in range(3) if (prediction == c).any() or (truth == c).any()]
    scores = [
        2
        * ((prediction == c) & (truth == c)).sum()
        / ((prediction == c).sum() + (truth == c).sum())
        for c in present
    ]
    return float(np.mean(scores))


def test_validation_scores_are_of_the_whole_split(tmp_path):
    data, module = make_data(tmp_path, count=16), make_module()
    trainer = make_trainer(epochs=1, enable_checkpointing=False)
    trainer.fit(module, data)
    module.eval()
    samples = list(data.dataset("val"))
    assert len(samples) == 3, "the last batch must be smaller than the others"
    with torch.no_grad():
        predictions = [module(s["image"][None])["out"].argmax(1)[0].numpy() for s in samples]
    truth = np.stack([s["mask"].numpy() for s in samples])
    dice = trainer.callback_metrics["val/dice"]
    assert float(dice) == pytest.approx(dice_by_hand(np.stack(predictions), truth), abs=1e-6)


class ConstantClass(nn.Module):
    """Predicts one class everywhere, and another one in the first epoch."""

    def __init__(self):
        super().__init__()
        self.classifier = nn.Conv2d(3, 3, 1)
        self.favourite = 2

    def forward(self, x):
        boost = torch.zeros(3)
        boost[self.favourite] = 1e6
        return {"out": self.classifier(x) + boost.view(1, 3, 1, 1)}


class SwitchClass(pl.Callback):
    def on_train_epoch_start(self, trainer, pl_module):
        pl_module.network.favourite = 2 if trainer.current_epoch == 0 else 0


def test_a_checkpoint_never_holds_scores_of_an_earlier_epoch(tmp_path):
    data = make_data(tmp_path / "data")
    for path in (tmp_path / "data/masks").iterdir():
        Image.fromarray(np.eye(24, 32, dtype=np.uint8)).save(path)
    # Class 2 is absent from the target; in the second epoch it is not predicted either.
    module = make_module(ConstantClass(), groups=["classifier"])
    checkpoint = InMemoryCheckpoint(str(tmp_path / "run"), monitor="train/loss", mode="min")
    make_trainer([SwitchClass(), checkpoint], epochs=2).fit(module, data)
    path = tmp_path / "run/last.ckpt"
    metrics = read_description(read_checkpoint(path), path).metrics
    assert metrics["val/iou_ground"] > 0.9
    for split in ("train", "val"):
        assert f"{split}/loss" in metrics
        assert f"{split}/iou_tree" not in metrics
        assert f"{split}/dice_tree" not in metrics


def test_dropout_is_a_function_of_seed_epoch_and_batch(tmp_path):
    class Draws(pl.Callback):
        def __init__(self):
            self.drawn = []

        def on_before_backward(self, trainer, pl_module, loss):
            self.drawn.append(torch.rand(1).item())

    def draws(seed, disturbance):
        spy = Draws()
        torch.manual_seed(disturbance)
        module = make_module(seed=seed)
        make_trainer([spy], epochs=3, enable_checkpointing=False).fit(module, make_data(tmp_path))
        return spy.drawn

    first = draws(3, 0)
    assert len(first) > 3
    assert len(set(first)) == len(first)
    assert draws(3, 1) == first
    assert not set(draws(4, 0)) & set(first)


def test_the_state_dict_is_the_networks_under_one_prefix():
    module = make_module(loss=DiceCrossEntropyLoss(class_weights=[1.0, 2.0, 3.0]))
    assert list(module.state_dict()) == [f"network.{n}" for n in module.network.state_dict()]


def test_class_names_come_from_the_description():
    assert make_module().class_names == tuple(CLASSES)
    module = make_module(optimizer=partial(torch.optim.SGD, lr=1.0), description=describe_run())
    assert module.description == describe_run()


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        (torch.zeros(1, 3, 2, 2), "returns a Tensor"),
        ({"logits": torch.zeros(1, 3, 2, 2)}, r"returns a mapping with the keys \['logits'\]"),
    ],
)
def test_a_network_that_does_not_return_logits_by_head_is_refused(returned, words):
    network = small_network()
    network.forward = lambda image: returned
    with pytest.raises(ConfigError, match=f"model.network: SmallNetwork {words}; wanted logits"):
        make_module(network)(torch.zeros(1, 3, 8, 8, dtype=torch.uint8))


class Watched(pl.Callback):
    """Notes the learning rate of every epoch, and the value that a plateau scheduler follows."""

    def __init__(self, name):
        self.name, self.rates, self.values = name, [], {}

    def on_train_epoch_start(self, trainer, pl_module):
        self.rates.append(trainer.optimizers[0].param_groups[0]["lr"])

    def on_train_end(self, trainer, pl_module):
        self.rates.append(trainer.optimizers[0].param_groups[0]["lr"])

    def on_train_epoch_end(self, trainer, pl_module):
        if (trainer.current_epoch + 1) % trainer.check_val_every_n_epoch == 0:
            self.values[trainer.current_epoch] = float(trainer.callback_metrics[self.name])


@pytest.mark.parametrize("every", [1, 2])
@pytest.mark.parametrize(("name", "mode"), [("val/dice", "max"), ("val/loss", "min")])
def test_a_plateau_scheduler_follows_its_value_once_for_each_validation(
    tmp_path, every, name, mode
):
    settings = {"mode": mode, "patience": 0, "factor": 0.5, "threshold": 0.9}
    make = partial(torch.optim.lr_scheduler.ReduceLROnPlateau, **settings)
    watched = Watched(name)
    module = make_module(scheduler=make, monitor=name)
    trainer = make_trainer([watched], epochs=6, check_val_every_n_epoch=every, logger=False)
    trainer.fit(module, make_data(tmp_path))
    by_hand = make(torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.05))
    wanted = [0.05]
    for epoch in range(6):
        if epoch in watched.values:
            by_hand.step(watched.values[epoch])
        wanted.append(by_hand.get_last_lr()[0])
    assert len(set(wanted)) > 2, "the case must lower the rate"
    assert watched.rates == wanted
