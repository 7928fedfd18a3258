"""What the module freezes stays as it is in a fit."""

from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
import yaml

from aerialseg.callbacks.checkpoint import InMemoryCheckpoint
from aerialseg.kernels.atrous import use_custom_gradients
from aerialseg.losses import DiceCrossEntropyLoss
from aerialseg.models.freeze_proof import changed_tensors
from aerialseg.models.layer_groups import layer_groups, resolve_start
from aerialseg.models.networks import deeplabv3_mobilenet_v3_large
from helpers.model_files import model_file
from helpers.stages import STAGES
from helpers.tiny_training import make_data, make_module, make_trainer, random_images

CONF = Path(__file__).parents[2] / "conf"


def state_of(network):
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def names_within(network, groups):
    return {
        name
        for name in network.state_dict()
        if any(name.startswith(f"{module}.") for group in groups for module in group.names)
    }


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
    assert changed == names_within(module.network, module.plan.groups[start:])
    learning = {name for group in module.plan.groups[start:] for name in group.names}
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
    settings = model_file("deeplabv3_mobilenet_v3_large")
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
