import pytest
import torch

from aerialseg.callbacks.checkpoint import InMemoryCheckpoint
from aerialseg.callbacks.ema import ExponentialMovingAverage
from aerialseg.errors import CheckpointError
from aerialseg.storage import checkpoints
from aerialseg.storage.run_folders import RunFolder
from aerialseg.training.disk import check_disk, snapshot_bytes
from helpers.tiny_training import make_data, make_module, make_trainer

OPTIMIZERS = {
    "sgd": lambda groups: torch.optim.SGD(groups, lr=0.1),
    "momentum": lambda groups: torch.optim.SGD(groups, lr=0.1, momentum=0.9),
    "adamw": lambda groups: torch.optim.AdamW(groups, lr=0.1),
}


@pytest.mark.parametrize("start", [0, 2])
@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_the_size_of_a_snapshot_is_predicted(tmp_path, optimizer, start):
    module = make_module(start=start, optimizer=optimizer)
    expected = snapshot_bytes(module)
    trainer = make_trainer([InMemoryCheckpoint(str(tmp_path))], epochs=1)
    trainer.fit(module, make_data(tmp_path / "data"))
    content = torch.load(tmp_path / "last.ckpt", weights_only=True)
    states = [s for o in content["optimizer_states"] for s in o["state"].values()]
    tensors = [*content["state_dict"].values(), *(v for s in states for v in s.values())]
    found = sum(t.nbytes for t in tensors if torch.is_tensor(t) and t.numel() > 1)
    scalars = sum(tensor.nbytes for tensor in module.state_dict().values() if tensor.numel() == 1)
    assert expected == found + scalars


def test_room_for_two_checkpoints_is_checked_before_training(tmp_path, monkeypatch):
    module, folder = make_module(), RunFolder(tmp_path / "run")
    for missing in (0, 1):
        free = 2 * snapshot_bytes(module) - missing
        monkeypatch.setattr(checkpoints, "free_space", lambda path, free=free: free)
        if not missing:
            check_disk(folder, module)
    with pytest.raises(CheckpointError, match=r"checkpoints: needs .* MB, but .* MB are free"):
        check_disk(folder, module)


@pytest.mark.parametrize("start", [0, 2])
def test_an_average_needs_room_too(tmp_path, start):
    module = make_module(start=start)
    expected = snapshot_bytes(module, with_average=True) - snapshot_bytes(module)
    average = ExponentialMovingAverage(horizon=1.0)
    trainer = make_trainer([average, InMemoryCheckpoint(str(tmp_path))], epochs=1)
    trainer.fit(module, make_data(tmp_path / "data"))
    content = torch.load(tmp_path / "last.ckpt", weights_only=True)
    assert expected == sum(tensor.nbytes for tensor in content["ema"]["weights"].values())
