import numpy as np
import pytest
import torch

from aerialseg.report.averaging_gain import AveragingGain, TimedScores

HALF = torch.tensor([[2, 2], [2, 2]])  # IoU 1/3 of both
WHOLE = torch.tensor([[4, 0], [0, 4]])


def scores(protocol, matrix, seconds, *, images=5, checkpoint="a.ckpt"):
    return TimedScores(checkpoint, protocol, torch.stack([matrix] * images), seconds)


@pytest.fixture
def gain():
    alone = [
        scores("single scale", HALF, 1.0),
        scores("single scale", HALF * 2, 3.0, checkpoint="b.ckpt"),
    ]
    average = scores("2 checkpoints, single scale", WHOLE, 5.0)
    return AveragingGain(average, alone, list("vwxyz"))


def test_gain_and_cost_are_against_each_network_alone(gain):
    found = gain.to_mapping()
    assert found["seconds_per_image"] == 1.0
    assert found["times_the_seconds"] == pytest.approx(5 / 2)  # of the mean of 1 and 3
    one, two = found["without"]
    assert (one["checkpoint"], one["protocol"]) == ("a.ckpt", "single scale")
    assert one["miou"] == pytest.approx(1 / 3)
    assert one["dice"] == pytest.approx(1 / 2)
    assert one["seconds_per_image"] == pytest.approx(0.2)
    assert one["gain_miou"] == pytest.approx(2 / 3)
    assert np.allclose(one["gain_miou_interval"], 2 / 3)  # all groups gain the same
    assert two["seconds_per_image"] == pytest.approx(0.6)


def test_few_groups_have_no_interval():
    alone, average = scores("single scale", HALF, 1.0), scores("scale 2", WHOLE, 2.0)
    found = AveragingGain(average, [alone], list("vvwww"))
    assert found.to_mapping()["without"][0]["gain_miou_interval"] is None


def test_the_table_has_a_row_for_each_way(gain, capsys):
    gain.show()
    rows = [line for line in capsys.readouterr().out.splitlines() if "scale" in line]
    assert len(rows) == 3
    for row, words in zip(
        rows,
        (
            ["a.ckpt, single scale", "0.5000", "0.3333", "+0.6667 (+0.667 to +0.667)", "0.5x"],
            ["b.ckpt, single scale", "0.3333", "0.600", "1.5x"],
            ["2 checkpoints, single scale", "1.0000", "1.000", "2.5x"],
        ),
        strict=True,
    ):
        assert all(word in row for word in words), row
