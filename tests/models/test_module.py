from functools import partial
from pathlib import Path

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
import yaml
from PIL import Image
from torch import nn
from torchmetrics import Metric

from aerialseg.callbacks.checkpoint import InMemoryCheckpoint
from aerialseg.errors import ConfigError
from aerialseg.kernels.atrous import use_custom_gradients
from aerialseg.losses import DiceCrossEntropyLoss
from aerialseg.models.freeze_proof import changed_tensors
from aerialseg.models.layer_groups import layer_groups, resolve_start
from aerialseg.models.networks import deeplabv3_mobilenet_v3_large
from aerialseg.storage.checkpoints import read_checkpoint, read_description
from helpers.stages import STAGES
from helpers.tiny_training import (
    CLASSES,
    describe_run,
    make_data,
    make_module,
    make_trainer,
    small_network,
)

CONF = Path(__file__).parents[2] / "conf"


def state_of(network):
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def names_within(network, groups):
    return {
        name
        for name in network.state_dict()
        if any(name.startswith(f"{module}.") for group in groups for module in group.names)
    }


def random_images(count=2, size=(8, 10), seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 3, *size), dtype=torch.uint8, generator=generator)


def masks(count=2, size=(8, 10), seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 3, (count, *size), dtype=torch.uint8, generator=generator)


class Modes(pl.Callback):
    """Records which modules are in training mode at the start of each batch."""

    def __init__(self):
        self.training, self.validation = [], []

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        self.training.append(_training(pl_module.network))

    def on_validation_batch_start(self, trainer, pl_module, batch, batch_idx, dataloader_idx=0):
        self.validation.append(_training(pl_module.network))


def _training(network):
    return {name.partition(".")[0] for name, part in network.named_modules() if part.training}


@pytest.mark.parametrize("start", [0, 1, 2])
def test_frozen_tensors_are_bit_identical_after_a_fit(tmp_path, start):
    module = make_module(start=start)
    before, modes = state_of(module.network), Modes()
    trainer = make_trainer([modes, InMemoryCheckpoint(str(tmp_path / "run"))], epochs=2)
    trainer.fit(module, make_data(tmp_path / "data"))
    after = state_of(module.network)
    changed = set(changed_tensors(before, after))
    assert changed == names_within(module.network, module.layer_groups[start:])
    learning = {name for group in module.layer_groups[start:] for name in group.names}
    assert len(modes.training) == trainer.global_step > 4
    assert all(seen - {""} == learning for seen in modes.training)
    assert len(modes.validation) > 2
    assert not set().union(*modes.validation)


def test_frozen_dropout_and_batchnorm_are_inactive_in_training():
    module = make_module(start=2)
    module.train()
    images = random_images()
    first, again = module(images)["out"], module(images)["out"]
    module.eval()
    assert torch.equal(first, again)
    assert torch.equal(first, module(images)["out"])
    learns = make_module(start=0).train()
    assert not torch.equal(learns(images)["out"], learns(images)["out"])


@pytest.mark.parametrize("mode", [True, False])
def test_train_and_eval_keep_frozen_modules_in_eval_mode(mode):
    module = make_module(start=1)
    assert module.train(mode) is module
    assert not any(part.training for part in module.network.stem.modules())
    assert all(part.training is mode for part in module.network.body.modules())
    assert not any(parameter.requires_grad for parameter in module.network.stem.parameters())


def test_autograd_records_nothing_below_the_trained_groups():
    module = make_module(start=1).train()
    seen = {}
    module.network.stem.register_forward_hook(lambda *call: seen.update(stem=call[2]))
    module.network.body.register_forward_hook(lambda *call: seen.update(body=call[2]))
    module(random_images())
    assert seen["stem"].grad_fn is None
    assert seen["body"].grad_fn is not None


def model_file():
    return yaml.safe_load((CONF / "model/deeplabv3_mobilenet_v3_large.yaml").read_text("utf-8"))


@pytest.fixture(scope="module")
def real_data(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp("data"), count=5, image_min_size=64)


@pytest.fixture(scope="module")
def real_state():
    torch.manual_seed(0)
    return deeplabv3_mobilenet_v3_large(3, aux_head=True).state_dict()


@pytest.mark.parametrize("stage", STAGES)
def test_each_stage_of_the_real_network_keeps_what_it_freezes(
    stage, real_data, real_state, custom_gradients
):
    settings = model_file()
    aux_head = yaml.safe_load((CONF / f"stage/{stage}.yaml").read_text("utf-8"))["aux_loss"]
    network = deeplabv3_mobilenet_v3_large(3, aux_head=aux_head)
    network.load_state_dict(real_state, strict=aux_head)
    groups = layer_groups(network, settings["layer_groups"])
    start = resolve_start(groups, settings["fine_tune_start"][stage])
    if custom_gradients:
        use_custom_gradients(network)
    loss = DiceCrossEntropyLoss(custom_gradients=custom_gradients)
    module = make_module(network, groups=settings["layer_groups"], start=start, loss=loss)
    before = state_of(network)
    make_trainer(epochs=1, enable_checkpointing=False).fit(module, real_data)
    changed = set(changed_tensors(before, state_of(network)))
    assert not changed & names_within(network, groups[:start])
    for group in groups[start:]:
        names = names_within(network, [group])
        assert not names or changed & names, group.name


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
