import numpy as np
import torch

from aerialseg.models.normalisation import normalise

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def test_every_byte_of_every_channel_is_scaled_shifted_and_divided():
    ramp = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16).repeat(2, 3, 1, 1)
    before = ramp.clone()
    result = normalise(ramp, torch.tensor(MEAN), torch.tensor(STD))
    values = np.arange(256).reshape(16, 16)
    for channel in range(3):
        expected = (values / 255 - MEAN[channel]) / STD[channel]
        np.testing.assert_allclose(result[0, channel].numpy(), expected, rtol=1e-5, atol=1e-6)
    assert torch.equal(result[0], result[1])
    assert torch.equal(ramp, before)


def test_the_result_is_float32_and_channels_last():
    images = torch.zeros(2, 3, 5, 7, dtype=torch.uint8)
    result = normalise(images, torch.tensor(MEAN), torch.tensor(STD))
    assert result.dtype == torch.float32
    assert result.shape == images.shape
    assert result.is_contiguous(memory_format=torch.channels_last)
