"""A resumed run loads what an uninterrupted one would have loaded."""

import hashlib

import pytest
import pytorch_lightning as pl
import torch

from helpers.grouped_data import IDS, data_module, flips
from helpers.tiny_data import write_folders


@pytest.fixture
def root(tmp_path):
    return write_folders(tmp_path / "f", IDS)


class _Recorder(pl.LightningModule):
    """Learns nothing and notes every sample it sees."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.seen = []

    def training_step(self, batch, index):
        digest = hashlib.sha256(batch["image"].numpy().tobytes()).hexdigest()
        self.seen.append((self.current_epoch, tuple(batch["id"]), digest))
        return self.weight.sum()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def _trainer(epochs):
    return pl.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )


@pytest.mark.filterwarnings("ignore")  # Lightning comments on the number of workers
def test_a_resumed_run_sees_what_an_uninterrupted_one_sees(root, tmp_path):
    settings = {"num_workers": 1, "augmentation": flips()}
    straight, before, after = _Recorder(), _Recorder(), _Recorder()
    _trainer(4).fit(straight, datamodule=data_module(root, **settings))
    trainer = _trainer(2)
    trainer.fit(before, datamodule=data_module(root, **settings))
    trainer.save_checkpoint(tmp_path / "half.ckpt")
    _trainer(4).fit(
        after, datamodule=data_module(root, **settings), ckpt_path=str(tmp_path / "half.ckpt")
    )
    assert before.seen + after.seen == straight.seen
    orders = {ids for _, ids, _ in straight.seen}
    assert len(orders) == len(straight.seen)
