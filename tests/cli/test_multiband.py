"""A data set of four bands of 16 bits from the first refusal to masks."""

import numpy as np
from PIL import Image

from aerialseg.storage.checkpoints import read_checkpoint, read_description
from helpers.commands import run_command
from helpers.rasters import write_band_folders

HEAD = ("stage=head", "data=folders", "data.root=d", "data.num_workers=0", "data.batch_size=2")
SMALL = ("trainer=cpu", "model=lraspp_mobilenet_v3_large", "model.weights=none", "logger=none")


def test_bands_are_trained_on_scored_and_predicted(tmp_path):
    write_band_folders(tmp_path / "d", list("abcdef"), size=(40, 56), nodata=1)
    refused = run_command(*HEAD, *SMALL, folder=tmp_path)
    (line,) = refused.stderr.splitlines()
    assert refused.returncode == 1
    assert "is no 8-bit RGB but holds 4 bands of uint16" in line
    assert "data.bands=[1,2,3,4]" in line
    assert "'data.value_range={percentiles: [2, 98]}'" in line
    assert not (tmp_path / "runs").exists()
    said = ("data.bands=[3,2,1,4]", "data.value_range={percentiles: [2, 98]}")
    short = ("stage.epochs=1", "trainer.limit_train_batches=2", "data.image_min_size=32")
    trained = run_command(*HEAD, *SMALL, *said, *short, folder=tmp_path)
    assert trained.returncode == 0, trained.stderr
    path = tmp_path / "runs/default/head/train/checkpoints/best.ckpt"
    description = read_description(read_checkpoint(path), path)
    assert description.bands == [3, 2, 1, 4]
    assert len(description.value_range) == len(description.mean) == len(description.std) == 4
    assert description.file_kind == {"bands": 4, "dtype": "uint16"}
    scored = run_command("task=evaluate", "stage=head", "trainer=cpu", folder=tmp_path)
    assert scored.returncode == 0, scored.stderr
    predicted = run_command(
        "task=predict", "stage=head", "trainer=cpu", "input=d/images", folder=tmp_path
    )
    assert predicted.returncode == 0, predicted.stderr
    for name in "abcdef":
        mask = np.asarray(Image.open(tmp_path / f"predictions/{name}_index.png"))
        assert mask.shape == (40, 56)
        assert set(np.unique(mask)) <= {0, 1, 2}
