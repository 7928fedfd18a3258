"""Third-party packages in real processes: installed, trained, stored and used to predict."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from torch.nn import functional as F

from aerialseg.errors import CheckpointError
from aerialseg.inference.predictor import Predictor
from aerialseg.storage.checkpoints import network_state, read_checkpoint, read_description
from helpers.packages import install

REPOSITORY = Path(__file__).parents[1]
EXAMPLE = REPOSITORY / "examples" / "own_network"
TRAIN = (
    "--config-dir=example/conf",
    "model=tiny",
    "stage=full",
    "stage.init_checkpoint=null",
    "stage.epochs=1",
    "trainer=cpu",
    "trainer.limit_train_batches=2",
    "trainer.limit_val_batches=1",
    "data.image_min_size=48",
    "data.batch_size=2",
    "data.num_workers=0",
    "logger=csv",
)
SCENES = ("data.layout.count=8", "data.layout.test_count=0", "data.layout.size=[48,64]")
CHECKPOINT = Path("runs/default/full/train/checkpoints/best.ckpt")
PARTS = """
    import albumentations
    import numpy as np
    from torch.nn import Module
    from torch.nn import functional as F
    from aerialseg.data.layouts.listing import Listing, Sample
    from aerialseg.losses import CrossEntropyLoss

    class SquaredLoss(Module):
        def __init__(self, class_weights, *, factor: float) -> None:
            super().__init__()
            self.inner = CrossEntropyLoss(class_weights=class_weights)
            self.factor = factor
            print(f"loss: {len(class_weights)} class weights, factor {factor}")

        def forward(self, logits, target):
            return self.factor * self.inner(logits, target) ** 2

    class PlainLoss(Module):
        def __init__(self, class_weights) -> None:
            super().__init__()

        def forward(self, logits, target):
            full = F.interpolate(logits, target.shape[1:])
            return F.cross_entropy(full, target, ignore_index=255)

    class Darker:
        def __init__(self, p: float = 0.5) -> None:
            self.p = p

    def two_folders(root, cache_dir, *, images: str) -> Listing:
        print(f"layout: {images}")
        paths = sorted((root / images).iterdir())
        return Listing(
            tuple(Sample(p.stem, p, root / "masks" / p.name, split=None) for p in paths)
        )

    class Haze(albumentations.ImageOnlyTransform):
        def __init__(self, strength: float, p: float = 0.5) -> None:
            super().__init__(p=p)
            self.strength = strength
            print(f"augmentation: {strength}")

        def apply(self, img, **params):
            return (img + self.strength * (255.0 - img)).astype(np.uint8)
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with the example, installed as its users do, and with another package."""
    folder = tmp_path_factory.mktemp("installed")
    shutil.copytree(EXAMPLE, folder / "own_network")  # a build leaves files beside the source
    site = folder / "site"
    command = (
        f"{sys.executable} -m pip install --quiet --disable-pip-version-check --no-index --no-deps "
        f"--no-build-isolation --target {site} {folder / 'own_network'}"
    )
    subprocess.run(command.split(), check=True)
    groups = {"losses": "SquaredLoss", "layouts": "two_folders", "augmentations": "Haze"}
    entry_points = {f"aerialseg.{group}": f"parts:{name}" for group, name in groups.items()}
    install(site, "parts", PARTS, entry_points)
    wrong = {"losses": "PlainLoss", "augmentations": "Darker"}
    entry_points = {f"aerialseg.{group}": f"parts:{name}" for group, name in wrong.items()}
    install(site, "wrong_parts", "", entry_points)
    return site


@pytest.fixture
def run(site, tmp_path):
    """A function that runs ``run.py`` where both packages are installed."""
    shutil.copytree(EXAMPLE, tmp_path / "example")
    paths = [*map(str, (REPOSITORY / "src", site)), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(paths)}

    def run(*arguments):
        command = [sys.executable, REPOSITORY / "run.py", *arguments]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    return run


def lines_of(path):
    return len(path.read_text(encoding="utf-8").splitlines())


def test_the_example_is_short():
    files = ("pyproject.toml", "own_network.py", "conf/model/tiny.yaml")
    assert sum(lines_of(EXAMPLE / name) for name in files) < 60


@pytest.mark.slow
def test_the_example_trains_two_steps_and_predicts_from_its_checkpoint(run, site, monkeypatch):
    done = run(*TRAIN, *SCENES)
    assert done.returncode == 0, done.stderr
    content = read_checkpoint(CHECKPOINT)
    assert content["global_step"] == 2
    description = read_description(content, CHECKPOINT)
    assert description.network == {
        "_target_": "own_network.TinyNet",
        "width": 16,
        "num_classes": len(description.classes),
    }
    done = run("task=predict", "stage=full", "input=data/demo/imgs/imgs", "trainer=cpu")
    assert done.returncode == 0, done.stderr
    monkeypatch.syspath_prepend(site)
    expected = masks_by_hand(content, description, Path("data/demo/imgs/imgs"))
    assert len(expected) == 8
    for name, mask in expected.items():
        found = np.asarray(Image.open(f"predictions/{name}_index.png"))
        assert found.shape == mask.shape
        assert (found == mask).mean() > 0.99


def masks_by_hand(content, description, folder):
    """The classes that the stored network finds in each image, computed without our code."""
    from own_network import TinyNet

    network = TinyNet(len(description.classes)).eval()
    network.load_state_dict(network_state(content))
    masks = {}
    for path in folder.iterdir():
        image = np.asarray(Image.open(path).convert("RGB"), dtype=np.float32) / 255
        normalised = (image - description.mean) / description.std
        batch = torch.from_numpy(normalised).float().permute(2, 0, 1)[None]
        with torch.no_grad():
            logits = network(batch)["out"]
        logits = F.interpolate(logits, image.shape[:2], mode="bilinear", align_corners=False)
        masks[path.stem] = logits[0].argmax(0).numpy()
    return masks


@pytest.mark.slow
def test_loss_layout_and_augmentation_of_a_package(run, tmp_path):
    generator = np.random.default_rng(0)
    for folder, shape, high in (("photos", (48, 64, 3), 256), ("masks", (48, 64), 3)):
        (tmp_path / "mine" / folder).mkdir(parents=True)
        for index in range(8):
            values = generator.integers(0, high, shape, dtype=np.uint8)
            Image.fromarray(values).save(tmp_path / "mine" / folder / f"{index}.png")
    (tmp_path / "mine" / "classes.yaml").write_text("{a: [1, 1, 1], b: [2, 2, 2], c: [3, 3, 3]}")
    write_choice(tmp_path, "data/folders", layout={"_target_": "parts.two_folders"} | LAYOUT)
    write_choice(tmp_path, "loss/cross_entropy", function=LOSS)
    write_choice(tmp_path, "augmentation/none", transforms=[HAZE])
    done = run(*TRAIN, "data=mine", "data.root=mine", "loss=mine", "augmentation=mine")
    assert done.returncode == 0, done.stderr
    assert {
        "loss: 3 class weights, factor 0.5",
        "layout: photos",
        "augmentation: 0.25",
    } <= set(done.stdout.splitlines())
    assert read_checkpoint(CHECKPOINT)["global_step"] == 2


@pytest.mark.slow
def test_a_loss_that_takes_no_uint8_is_explained_before_the_run_begins(run, tmp_path):
    write_choice(tmp_path, "loss/cross_entropy", function={"_target_": "parts.PlainLoss"})
    done = run(*TRAIN, *SCENES, "loss=mine")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "config error: loss.function: PlainLoss raises RuntimeError: expected scalar type Long but "
        "found Byte; it is called with (N, C, h, w) float logits and (N, H, W) uint8 class ids; "
        "convert them by target.long()"
    ]
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
def test_an_augmentation_that_is_no_transform_is_named(run, tmp_path):
    write_choice(tmp_path, "augmentation/none", transforms=[{"_target_": "parts.Darker"}])
    done = run(*TRAIN, *SCENES, "augmentation=mine")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "config error: augmentation.transforms[0]._target_: parts.Darker is no Albumentations "
        "transform; wanted a class derived from one"
    ]


LAYOUT = {"_partial_": True, "images": "photos"}
LOSS = {"_target_": "parts.SquaredLoss", "factor": 0.5}
HAZE = {"_target_": "parts.Haze", "strength": 0.25, "p": 1.0}


def write_choice(folder, like, **changes):
    """Writes ``GROUP/mine.yaml`` to the ``--config-dir``: a changed copy of our file."""
    content = yaml.safe_load((REPOSITORY / "conf" / f"{like}.yaml").read_text())
    path = folder / "example" / "conf" / Path(like).parent / "mine.yaml"
    path.parent.mkdir()
    path.write_text(yaml.safe_dump(content | changes, sort_keys=False))


@pytest.mark.slow
def test_an_unknown_argument_of_a_plugin_is_one_line(run):
    done = run(*TRAIN, *SCENES, "model.network.widht=8", "data.layout._target_=parts.two_folder")
    assert done.returncode == 1
    layout, network = sorted(done.stderr.splitlines())
    assert layout.startswith("config error: data.layout._target_: 'parts.two_folder' is not in ")
    assert layout.endswith("; did you mean 'parts.two_folders'?")
    assert network == (
        "config error: model.network.widht: own_network.TinyNet takes no 'widht'; "
        "did you mean 'width'?"
    )


@pytest.mark.slow
def test_the_advised_command_includes_the_config_dir(run, tmp_path):
    done = run("--config-dir=example/conf", "model=tiny", "stage=aspp", "trainer=cpu")
    assert done.stderr.endswith(
        f"run `python run.py --config-dir={tmp_path / 'example' / 'conf'} stage=decoder "
        "run_name=default model=tiny trainer=cpu` first\n"
    )


def test_a_checkpoint_of_a_package_that_is_not_installed_is_refused(tmp_path):
    from aerialseg.storage.checkpoints import describe, write_checkpoint
    from helpers.tiny_training import describe_run

    content = {"state_dict": {"network.weight": torch.zeros(1)}}
    describe(content, describe_run(network={"_target_": "own_network.TinyNet", "num_classes": 3}))
    write_checkpoint(tmp_path / "sent.ckpt", content)
    with pytest.raises(CheckpointError) as error:
        Predictor(tmp_path / "sent.ckpt")
    assert error.value.problems == (
        f"{tmp_path / 'sent.ckpt'}: names the network 'own_network.TinyNet'; only builders of "
        "aerialseg.models.networks are accepted, and those that installed packages register as "
        "aerialseg.networks",
    )
