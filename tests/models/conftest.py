"""The default network, its settings and its layer groups."""

import copy

import pytest
import torch

from aerialseg.models.layer_groups import layer_groups
from helpers.model_files import build, model_file


@pytest.fixture(scope="module")
def pristine():
    torch.manual_seed(0)
    return build("deeplabv3_mobilenet_v3_large")


@pytest.fixture
def mobilenet(pristine):
    return copy.deepcopy(pristine)


@pytest.fixture(scope="module")
def settings():
    return model_file("deeplabv3_mobilenet_v3_large")


@pytest.fixture
def groups(mobilenet, settings):
    return layer_groups(mobilenet, settings["layer_groups"])
