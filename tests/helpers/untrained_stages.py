"""Stages of a small data set that start from, or are taught by, checkpoints of others."""

from dataclasses import replace

from aerialseg.storage.checkpoints import describe, write_checkpoint
from aerialseg.training.build import build_data, build_module
from helpers.composing import experiment
from helpers.tiny_data import text, write_folders

IDS = [f"fl{flight}_{frame}" for flight in range(5) for frame in range(4)]
FLIGHTS = r"data.group_pattern='^(.+)_\d+$'"
TABLE = {"ground": "[10, 20, 30]", "car": "[200, 0, 0]", "tree": "[0, 200, 0]"}


def write_classes(root, *names):
    return text(root / "classes.yaml", *(f"{name}: {TABLE.get(name, [0, 0, 9])}" for name in names))


def write_data(root):
    """Labelled images of five flights."""
    write_folders(root, IDS)
    write_classes(root, *TABLE)
    return root


def config(root, *overrides):
    return experiment(
        "data=folders",
        f"data.root={root}",
        "data.image_min_size=null",
        "model=lraspp_mobilenet_v3_large",
        "model.weights=none",
        "trainer=cpu",
        "logger=none",
        *overrides,
    )


def built(root, *overrides):
    chosen = config(root, *overrides)
    return build_module(chosen, build_data(chosen))


def write_parent(root, path, *overrides, **changes):
    """The checkpoint of an untrained head."""
    module, _ = built(root, "stage=head", *overrides)
    state = {f"network.{k}": v for k, v in module.network.state_dict().items()}
    content = {"state_dict": state}
    describe(content, replace(module.description, **changes))
    write_checkpoint(path, content)
    return module
