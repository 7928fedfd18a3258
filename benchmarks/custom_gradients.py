"""What each custom gradient brings to a whole training step: on against off, all else equal."""

from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor

from aerialseg.models.module import SegmentationModule
from aerialseg.scenes import render_scene
from benchmarks.command import run
from benchmarks.experiment import config, data_module, training_module
from benchmarks.images import data_root, with_every_class
from benchmarks.row import Row
from benchmarks.timing import Setting, check, compare
from benchmarks.training_step import OurStep

_INPUTS = (4, 192, 256), (2, 720, 1280)
"""Batch size, height and width: the demo's images, and those of AeroScapes."""

_ON = ("compute.custom_gradients=true",)
_OFF = {
    "fused loss": ("loss.function.custom_gradients=false",),
    "atrous gradient": ("compute.custom_gradients=false", "loss.function.custom_gradients=true"),
}
_STAGES = {
    "fused loss": ("head", "aspp", "full"),
    "atrous gradient": ("aspp", "full"),  # before aspp every dilated convolution is frozen
}
_GOAL = 1 / 0.9  # a custom gradient that saves less than a tenth of the step is not worth its code


def rows(setting: Setting) -> Iterator[Row]:
    """A training step with and without each custom gradient, in single precision."""
    for name, stages in _STAGES.items():
        if name == "atrous gradient" and setting.device != "cpu":
            continue  # on an accelerator it is nn.Conv2d
        for shape in ((2, 64, 96),) if setting.quick else _INPUTS:
            for stage in stages:
                seconds = compare(*_steps(stage, _OFF[name], shape, setting), setting, seconds=20)
                title = f"step of {stage}, {name}, {'x'.join(map(str, shape))}"
                yield Row(title, *seconds, goal=_GOAL, reason="saves less than a tenth")


def _steps(
    stage: str, off: tuple[str, ...], shape: tuple[int, int, int], setting: Setting
) -> tuple[Callable[[], None], Callable[[], None]]:
    """The step of a stage without the custom gradient and with it; their gradients agree."""
    root = data_root(setting, train=2)
    options = (f"stage={stage}", "augmentation=none")
    data = data_module(root, *options)
    plain, ours = (
        training_module(config(root, *options, *switch), data).to(setting.device)
        for switch in (off, _ON)
    )
    plain.network.load_state_dict(ours.network.state_dict())
    batch = _batch(shape, len(data.classes), setting.device)
    wanted, got = _gradient(plain, batch), _gradient(ours, batch)
    check(float((wanted - got).norm()) < 1e-3 * float(wanted.norm()), f"gradient of {stage}")
    plain_step, our_step = OurStep(plain), OurStep(ours)
    return lambda: plain_step(batch), lambda: our_step(batch)


def _gradient(module: SegmentationModule, batch: Mapping[str, Tensor]) -> Tensor:
    """Of all that learns in one vector; in eval mode, where dropout draws nothing."""
    module.eval()
    learning = [parameter for parameter in module.parameters() if parameter.requires_grad]
    gradients = torch.autograd.grad(module.training_step(batch, 0), learning)
    module.train()
    return torch.cat([gradient.flatten() for gradient in gradients])


def _batch(shape: tuple[int, int, int], num_classes: int, device: str) -> dict[str, Tensor]:
    """Drawn scenes, ``(N, 3, H, W)`` and ``(N, H, W)`` uint8, with every class in each mask."""
    count, height, width = shape
    scenes = [render_scene(7, (height, width), sequence=number) for number in range(count)]
    images = torch.stack([torch.from_numpy(image).permute(2, 0, 1) for image, _ in scenes])
    masks = [torch.from_numpy(with_every_class(mask, num_classes)) for _, mask in scenes]
    return {"image": images.contiguous().to(device), "mask": torch.stack(masks).to(device)}


if __name__ == "__main__":
    run(rows)
