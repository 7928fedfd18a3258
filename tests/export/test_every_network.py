"""Each kind of network, exported as it is built."""

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from aerialseg.export.traced_network import onnx_model
from aerialseg.kernels.folding import fold_batchnorm
from aerialseg.models import networks

SHAPES = [(1, 97, 131), (2, 64, 96), (1, 33, 200), (3, 31, 17)]
BUILDERS = {
    "deeplabv3": lambda: networks.deeplabv3_mobilenet_v3_large(5),
    "lraspp": lambda: networks.lraspp_mobilenet_v3_large(5),
    "unet": lambda: networks.segmentation_models_pytorch(
        5, architecture="unet", encoder_name="resnet18"
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", BUILDERS)
def test_logits_are_those_of_torch_at_any_size(name):
    torch.manual_seed(0)
    network = BUILDERS[name]()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        network(torch.randn(2, 3, 128, 160))
    network.eval()
    inputs = [torch.randn(count, 3, *size) for count, *size in SHAPES]
    with torch.no_grad():
        wanted = [network(images)["out"] for images in inputs]
    fold_batchnorm(network)
    model = onnx_model(network, 3).SerializeToString()
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    for images, logits in zip(inputs, wanted, strict=True):
        (found,) = session.run(["logits"], {"images": images.numpy()})
        np.testing.assert_allclose(found, logits.numpy(), atol=1e-3 * float(logits.abs().max()))
