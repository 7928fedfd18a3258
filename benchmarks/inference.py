"""Class ids of one image, from a training checkpoint."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from torchvision.transforms.v2 import functional as F

from aerialseg.export.certificate import BOUNDS
from aerialseg.export.compared_images import generated_scenes
from aerialseg.export.model_export import Comparison, export_onnx
from aerialseg.inference.predictor import Predictor
from aerialseg.storage.checkpoints import describe, write_checkpoint
from benchmarks.command import run
from benchmarks.experiment import config, data_module, training_module
from benchmarks.images import arrays, data_root, temporary_folder
from benchmarks.plain.data import MEAN, STD
from benchmarks.plain.step import plain_network
from benchmarks.row import Row
from benchmarks.timing import Setting, check, compare


def rows(setting: Setting) -> Iterator[Row]:
    """Class ids of one decoded image, in float32 and in bfloat16."""
    root = data_root(setting, train=2)
    module = training_module(config(root, "stage=full"), data_module(root))
    checkpoint = {"state_dict": module.state_dict()}
    describe(checkpoint, module.description)
    path = temporary_folder() / "network.ckpt"
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

    single, onnx = Predictor(path, device=setting.device), through_onnx(Predictor(path))
    ways: dict[str, Callable[[], npt.NDArray[np.integer]]] = {
        "float32": partial(single.predict, image),
        "ONNX Runtime": partial(onnx.predict, image),
        "bfloat16": partial(
            Predictor(path, device=setting.device, precision="bf16-mixed").predict, image
        ),
    }
    for name, ours in ways.items():
        check((plain() == ours()).mean() >= _AGREEMENT[name], f"class ids, {name}")
        seconds = compare(plain, ours, setting)
        yield Row(f"inference, batch 1, {name}", *seconds, _GOALS[name], reason=_REASONS[name])
    seconds = compare(partial(single.predict, image), partial(onnx.predict, image), setting)
    reason = "on a processor without AVX-512 its kernels gain less"
    yield Row("inference, ONNX Runtime against our torch", *seconds, 1.0, reason=reason)


def through_onnx(predictor: Predictor) -> Predictor:
    """The network in ONNX Runtime, on the CPU, as ``task=export`` writes it."""
    path = temporary_folder() / "network.onnx"
    scenes = generated_scenes(predictor.description.channels)
    bounds = replace(BOUNDS["float32"], argmax_agreement=_AGREEMENT["ONNX Runtime"])
    export_onnx(predictor, path, Comparison(scenes, bounds), precision="float32")
    return Predictor(path)


# Even in float32, another summation order changes a few pixels.
_AGREEMENT = {"float32": 0.999, "ONNX Runtime": 0.999, "bfloat16": 0.97}
_GOALS = {"float32": 1.5, "ONNX Runtime": 2.0, "bfloat16": 2.5}
_REASONS = {
    "float32": "",
    "ONNX Runtime": "runs differ, from 1.9x to 2.5x; its convolutions take all of our time",
    "bfloat16": "needs a CPU with bfloat16 units; an Intel CPU with AMX reached 2.3x",
}


if __name__ == "__main__":
    run(rows)
