"""The files of ``conf/model`` and the networks that they describe."""

from pathlib import Path

import pytest
import yaml

from aerialseg.models import networks

MODEL_FILES = Path(__file__).parents[2] / "conf" / "model"


def model_file(name):
    return yaml.safe_load((MODEL_FILES / f"{name}.yaml").read_text(encoding="utf-8"))


def build(name, *, aux_head=True):
    arguments = model_file(name)["network"]
    builder = getattr(networks, arguments.pop("_target_").rpartition(".")[2])
    if "aux_head" in arguments:
        arguments["aux_head"] = aux_head
    if builder is networks.segmentation_models_pytorch:
        pytest.importorskip("segmentation_models_pytorch")
    return builder(12, **arguments)
