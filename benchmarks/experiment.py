"""Data and modules built from ``conf/`` by the functions that the tasks call."""

from pathlib import Path

from hydra import compose, initialize_config_dir

from aerialseg.config.resolvers import register_shipped
from aerialseg.config.schema import Experiment
from aerialseg.config.validation import resolve
from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.models.module import SegmentationModule
from aerialseg.training.build import build_data, build_module
from benchmarks.images import temporary_folder

ROOT = Path(__file__).parents[1]
STAGES = ("head", "decoder", "aspp", "half_backbone", "full")


def composed(*overrides: str) -> Experiment:
    """The config of a command line, resolved but not validated."""
    register_shipped(ROOT)
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        return resolve(compose("config", list(overrides)))


def config(root: Path, *overrides: str) -> Experiment:
    """The config of one command line on the images in ``root``.

    The network starts from the weights in the repository: its outputs must be distributed as those
    of a trained network, but need not be accurate.
    """
    given = (
        *("data=aeroscapes", "recipe=seed"),  # SGD, as in the plain steps
        f"data.root='{root}'",
        "data.image_min_size=null",
        f"paths.cache_dir='{temporary_folder() / 'cache'}'",
        f"model.weights='{ROOT / 'weights' / 'demo_backbone.pth'}'",
        "stage.init_checkpoint=null",
    )
    return composed(*given, *overrides)


def demo_config(*overrides: str) -> Experiment:
    """The config of one command line on the demo, in folders that are removed in the end."""
    folder = temporary_folder()
    given = (
        "experiment=demo",
        f"data.root='{folder / 'demo'}'",
        f"paths.cache_dir='{folder / 'cache'}'",
        f"paths.runs_dir='{folder / 'runs'}'",
        "stage.init_checkpoint=null",
    )
    return composed(*given, *overrides)


def data_module(root: Path, *overrides: str) -> AerialSegDataModule:
    """The data module over ``root``."""
    return build_data(config(root, *overrides))


def training_module(experiment: Experiment, data: AerialSegDataModule) -> SegmentationModule:
    """The module that a stage trains."""
    module, _ = build_module(experiment, data)
    return module
