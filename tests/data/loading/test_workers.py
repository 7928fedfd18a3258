import os
import signal

import pytest

from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.data.layouts import folders
from helpers.systems import needs_posix
from helpers.tiny_data import CLASSES, write_folders

IDS = [f"{number}" for number in range(10)]
ARGUMENTS = {"num_workers": 2, "image_min_size": 24, "batch_size": 2, "classes": CLASSES}


@pytest.fixture
def data(tmp_path):
    root = write_folders(tmp_path / "f", IDS)
    return AerialSegDataModule(root, folders, cache_dir=tmp_path / "cache", **ARGUMENTS)


def test_what_each_worker_loaded_last_is_known(data):
    loader = data.train_dataloader()
    batches = iter(loader)
    seen = [name for batch in batches for name in batch["id"]]
    workers = [worker.pid for worker in batches._workers]
    found = [data.loaders.sample_of_worker(pid) for pid in workers]
    assert all(sample.id in seen and not loading for sample, loading in found)
    assert found[0] != found[1]
    assert data.loaders.sample_of_worker(os.getpid()) is None


@needs_posix
def test_a_worker_that_dies_was_loading_its_sample(data):
    doomed = data.samples("train")[3]
    loader = data.train_dataloader()
    served, plain = loader.dataset, loader.dataset.dataset

    class Breaks:
        def __getitem__(self, key):
            if served.samples[key[1]] == doomed:
                os.kill(os.getpid(), signal.SIGKILL)
            return plain[key]

    served.dataset = Breaks()
    with pytest.raises(RuntimeError, match="DataLoader worker") as error:
        list(loader)
    pid = int(str(error.value).split("pid(s) ")[1].split(")")[0].split(",")[0])
    assert data.loaders.sample_of_worker(pid) == (doomed, True)


def test_without_workers_there_is_nothing_to_watch(tmp_path):
    root = write_folders(tmp_path / "f", IDS)
    arguments = ARGUMENTS | {"num_workers": 0}
    data = AerialSegDataModule(root, folders, cache_dir=tmp_path / "cache", **arguments)
    list(data.train_dataloader())
    assert data.loaders.sample_of_worker(os.getpid()) is None
