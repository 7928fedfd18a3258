import pytest
from torch.utils.tensorboard import SummaryWriter

from benchmarks import time_to_score
from benchmarks.scores import Score, read_scores, scores_of_run, write_score
from benchmarks.time_to_score import Training, table


def training(began, seconds, *found):
    """A training with scores ``(seconds, miou, dice)``."""
    return Training(began, seconds, [Score(at=began + s, miou=m, dice=d) for s, m, d in found])


PLAIN = training(1000, 80, (20, 0.1, 0.2), (40, 0.35, 0.5), (80, 0.3, 0.4))
OURS = training(5000, 60, (5, 0.2, 0.1), (10, 0.3, 0.39), (25, 0.28, 0.45))


def test_a_score_is_reached_when_it_is_first_equalled():
    assert OURS.reaches("miou", 0.3) == 10
    assert OURS.reaches("dice", 0.4) == 25
    assert OURS.reaches("dice", 0.46) is None


def rows(text):
    lines = [line.strip("|").split("|") for line in text.splitlines()[2:]]
    return {name.strip(): [cell.strip() for cell in cells] for name, *cells in lines}


def test_the_table_has_both_scores_and_both_ratios():
    found = rows(table(PLAIN, OURS))
    assert found["plain seed: score of the last epoch"] == ["0.3000", "0.4000"]
    assert found["plain seed: trained in"] == ["80 s", "80 s"]
    assert found["plain seed: that score first reached after"] == ["40 s", "40 s"]
    assert found["this project: that score reached after"] == ["10 s", "25 s"]
    assert found["**ratio to the whole seed**"] == ["8.0x", "3.2x"]
    assert found["ratio to when plain first reached it"] == ["4.0x", "1.6x"]
    assert found["this project: best score"] == ["0.3000", "0.4500"]


def test_a_score_that_is_never_reached_has_no_ratio():
    found = rows(table(PLAIN, training(0, 9, (3, 0.31, 0.2))))
    assert found["this project: that score reached after"] == ["3 s", "never"]
    assert found["**ratio to the whole seed**"] == ["26.7x", "-"]


def test_lines_are_read_as_they_were_written(tmp_path):
    scores = [Score(at=1.5, miou=0.25, dice=0.5), Score(at=2.5, miou=0.3, dice=0.6)]
    for score in scores:
        write_score(tmp_path / "scores", score)
    assert read_scores(tmp_path / "scores") == scores


def test_the_curves_of_all_stages_give_the_scores_in_order(tmp_path):
    for stage, times in (("head", (7.0, 9.0)), ("full", (3.0,)), ("without_curves", ())):
        (tmp_path / stage / "train").mkdir(parents=True)
        with SummaryWriter(str(tmp_path / stage)) as writer:
            for step, time in enumerate(times):
                writer.add_scalar("val/miou", time / 16, step, walltime=time)
                writer.add_scalar("val/dice", time / 8, step, walltime=time)
    assert scores_of_run(tmp_path) == [
        Score(at=time, miou=time / 16, dice=time / 8) for time in (3.0, 7.0, 9.0)
    ]


@pytest.mark.slow
def test_both_are_trained_and_compared(tmp_path, capfd):
    output = tmp_path / "table.md"
    tiny = ("data.layout.count=12", "data.layout.size=[64,96]", "data.image_min_size=64")
    time_to_score.main(["--scale", "0.01", "--output", str(output), "--", *tiny, "stage.epochs=1"])
    text = output.read_text(encoding="utf-8")
    assert text.startswith("# Time to the score of the seed: `experiment=demo`")
    assert "at most 1/1/1/1/1 epochs (scale 0.01), of which early stopping left 5" in text
    assert "`recipe=demo`" in text
    assert "start from demo_backbone.pth" in text
    found = rows("\n".join(line for line in text.splitlines() if line.startswith("|")))
    assert all(cell.endswith(" s") for cell in found["plain seed: trained in"])
    assert str(tmp_path) not in text
    assert f"written to {output}" in capfd.readouterr().out
