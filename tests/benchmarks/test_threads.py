import pytest
import torch

from benchmarks import threads


def test_the_table_has_medians_and_the_speed_beside_the_first_pair():
    text = threads.table({(1, 0): [0.3, 0.1, 0.2], (2, 2): [0.1, 0.1, 0.4]})
    assert text.splitlines()[2:] == [
        "| 1 | 0 | 200 ms | 100 to 300 ms | 1.00x |",
        "| 2 | 2 | 100 ms | 100 to 400 ms | 2.00x |",
    ]


@pytest.mark.slow
def test_each_pair_is_measured_and_the_threads_are_put_back(capsys):
    before = torch.get_num_threads()
    chosen = ["--threads", "1", "2", "--workers", "0", "1", "--rounds", "1", "--images", "8"]
    threads.main([*chosen, "--size", "64", "96"])
    assert torch.get_num_threads() == before
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    assert [line[:9] for line in lines[1:]] == ["| 1 | 0 |", "| 1 | 1 |", "| 2 | 0 |", "| 2 | 1 |"]
