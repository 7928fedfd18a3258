"""A small network learns with every loss."""

from functools import partial

import pytest
import torch

from helpers.all_losses import ALL
from helpers.tiny_training import make_data, make_module, make_trainer, small_network

NAMES = [name for name in ALL if not name.endswith("_plain")]


@pytest.mark.parametrize("name", NAMES)
def test_the_score_rises(name, tmp_path):
    module = make_module(
        small_network(aux_head=False),
        loss=ALL[name](class_weights=[0.5, 1.0, 2.0]),
        optimizer=partial(torch.optim.AdamW, lr=0.02),
    )
    data = make_data(tmp_path, count=12)
    trainer = make_trainer(epochs=6, enable_checkpointing=False, inference_mode=False)
    (before,) = trainer.validate(module, data, verbose=False)
    trainer.fit(module, data)
    (after,) = trainer.validate(module, data, verbose=False)
    assert after["val/dice"] > before["val/dice"] + 0.4
    assert after["val/loss"] < before["val/loss"]
