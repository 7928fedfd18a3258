from pathlib import Path

import pytest

from helpers.disk import At, kill
from helpers.processes import RUN, Curriculum

WAYS = {
    "augmented": ["augmentation=drone"],
    "with a worker": ["augmentation=drone", "data.num_workers=1"],
    "from features": [
        "model=deeplabv3_mobilenet_v3_large",
        f"model.weights={RUN.parent / 'weights/demo_backbone.pth'}",
        "stage.cache_features=on",
    ],
}


@pytest.fixture(scope="session")
def begin(tmp_path_factory):
    """Begins a curriculum that is trained in one of three ways, on scenes drawn once."""
    scenes = tmp_path_factory.mktemp("data") / "scenes"

    def begin(folder: Path, way: str = "augmented", **options) -> Curriculum:
        return Curriculum(folder, options.pop("scenes", scenes), *WAYS[way], **options)

    begin.scenes = scenes
    return begin


@pytest.fixture(scope="session")
def whole(begin, tmp_path_factory):
    """An uninterrupted curriculum for each way of training, made when first asked for."""
    made = {}

    def whole(way: str = "augmented") -> Curriculum:
        if way not in made:
            made[way] = begin(tmp_path_factory.mktemp("whole"), way)
            made[way].finish()
        return made[way]

    return whole


@pytest.fixture(scope="session")
def killed(begin, tmp_path_factory):
    """The folder of a first stage that was killed when all but its verdict was written."""
    run = begin(tmp_path_factory.mktemp("killed"), stages=["head"])
    assert run.execute(fault=At(kill, "remove", "previous.ckpt")) < 0
    return run.folder
