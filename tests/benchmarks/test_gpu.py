import pytest
import torch

from benchmarks import gpu
from helpers.stages import STAGES


def test_without_a_gpu_one_line_says_so(monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    gpu.main([])
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("no GPU, so nothing is measured")


@pytest.mark.slow
def test_a_quick_run_goes_through_all_five_stages(capsys):
    gpu.main(["--quick", "--device", "cpu"])
    lines = capsys.readouterr().out.splitlines()
    for stage in STAGES:
        assert sum(line.startswith(f"{stage} ") for line in lines) == 1
        assert sum(line.startswith(f"loader keeps up, {stage} ") for line in lines) == 1
    assert lines[-1].startswith("AeroScapes, 2621 + 648 images, 200 epochs: ")
