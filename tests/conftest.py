import pytest
import torch
from hypothesis import settings

from aerialseg.data import notices
from aerialseg.report import data_table

torch.set_num_threads(1)  # tiny tensors: a second thread costs more than it brings

# The same examples every time, and no limit that a busy machine would break.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


@pytest.fixture(scope="session", params=[True, False], ids=["custom", "plain"])
def custom_gradients(request):
    """``compute.custom_gradients``: what tests compare with an oracle holds for both settings."""
    return request.param


@pytest.fixture(autouse=True)
def _nothing_was_said(monkeypatch):
    """Lines that a process logs once must not depend on which tests ran before."""
    monkeypatch.setattr(notices, "_said", set())
    monkeypatch.setattr(data_table, "_shown", set())


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    """Relative paths such as ``runs`` must not find what the demo left in the repository."""
    monkeypatch.chdir(tmp_path)
