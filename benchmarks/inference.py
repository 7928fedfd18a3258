"""One picture through the network to its class ids, with a checkpoint as training leaves it."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from torchvision.transforms.v2 import functional as F

from aerialseg.checkpoints import describe, write_checkpoint
from aerialseg.inference import Predictor
from benchmarks.command import run
from benchmarks.experiment import config, data_module, training_module
from benchmarks.pictures import arrays, data_root, workshop
from benchmarks.plain.data import MEAN, STD
from benchmarks.plain.step import plain_network
from benchmarks.row import Row
from benchmarks.timing import Setting, check, compare


def rows(setting: Setting) -> Iterator[Row]:
    """One decoded picture to its class ids, in single precision and in bfloat16."""
    root = data_root(setting, train=2)
    module = training_module(config(root, "stage=full"), data_module(root))
    checkpoint = {"state_dict": module.state_dict()}
    describe(checkpoint, module.description)
    path = workshop() / "network.ckpt"
    write_checkpoint(path, checkpoint)
    state = {name: value.to(setting.device) for name, value in module.network.state_dict().items()}
    network = plain_network(state, len(module.class_names), aux_head=False).eval()
    (image, _), *_ = arrays(setting, 1)

    @torch.no_grad()
    def plain() -> npt.NDArray[np.int64]:
        scaled = F.to_dtype(F.to_image(image), torch.float32, scale=True)
        batch = F.normalize(scaled, list(MEAN), list(STD))[None].to(setting.device)
        ids: npt.NDArray[np.int64] = network(batch)["out"].argmax(1)[0].cpu().numpy()
        return ids

    for name, precision, agreement, goal in _PRECISIONS:
        predictor = Predictor(path, device=setting.device, precision=precision)
        check((plain() == predictor.predict(image)).mean() >= agreement, f"class ids, {name}")
        seconds = compare(plain, partial(predictor.predict, image), setting)
        yield Row(f"inference, batch 1, {name}", *seconds, goal=goal, reason=_REASONS[name])


_PRECISIONS = (
    # Even in single precision another order of sums turns the odd pixel.
    ("single precision", "32-true", 0.999, 1.5),
    ("bfloat16", "bf16-mixed", 0.97, 2.5),
)
_REASONS = {"single precision": "", "bfloat16": "compiled as well it reaches 2.9x, after minutes"}


if __name__ == "__main__":
    run(rows)
