"""What is said of a stage, by what its groups of images show."""

import torch

from aerialseg.report.job_tables import FinishedJob
from aerialseg.report.stage_verdicts import verdicts
from helpers.finished_runs import stage_result


def groups(*accuracies):
    """Matrices of two classes, of groups whose pixels are right with these shares."""
    right = torch.tensor(accuracies) * 1000
    matrices = torch.diag_embed(torch.stack([right, right], -1)).round().long()
    matrices[:, 0, 1] = matrices[:, 1, 0] = (1000 - right).round().long()
    return matrices


def judged(before, after):
    jobs = [
        FinishedJob("head", None, stage_result(stage="head")),
        FinishedJob("full", "head", stage_result(stage="full", seconds=600)),
    ]
    return verdicts(jobs, [before, after])


BASE = (0.5, 0.6, 0.55, 0.7, 0.65, 0.6)


def test_a_stage_that_helps_everywhere_is_better():
    first, second = judged(groups(*BASE), groups(*(each + 0.1 for each in BASE)))
    assert (first.verdict, first.gain, first.tone) == ("the first stage", None, "")
    assert (second.verdict, second.tone) == ("better than head", "good")
    assert abs(second.gain - 0.1) < 0.001
    assert second.gain in second.gain_interval
    assert second.dice in second.dice_interval


def test_a_stage_that_hurts_says_what_leaving_it_out_saves():
    _, second = judged(groups(*BASE), groups(*(each - 0.1 for each in BASE)))
    assert (second.verdict, second.tone) == (
        "worse than head; without it 10 min 00 s would be saved",
        "bad",
    )


def test_chance_is_no_difference():
    changes = (0.1, -0.1, 0.05, -0.05, 0.02, -0.03)
    mixed = [each + change for each, change in zip(BASE, changes, strict=True)]
    _, second = judged(groups(*BASE), groups(*mixed))
    assert second.verdict.startswith("no sure difference from head")
    assert second.tone == ""


def test_few_groups_tell_nothing():
    _, second = judged(groups(*BASE[:4]), groups(*(each + 0.2 for each in BASE[:4])))
    assert second.verdict == "too few groups of images to tell"
    assert second.gain_interval is None
    assert second.gain > 0.19


def test_a_stage_without_the_one_before_it_is_not_called_the_first():
    full = FinishedJob("full", "head", stage_result(stage="full"))
    (only,) = verdicts([full], [groups(*BASE)])
    assert (only.verdict, only.gain) == ("not judged, since head is left out", None)


def test_a_stage_that_started_elsewhere_is_not_called_the_first():
    jobs = [FinishedJob(name, None, stage_result(stage=name)) for name in ("full", "head")]
    first, second = verdicts(jobs, [groups(*BASE), groups(*BASE)])
    assert first.verdict == "the first stage"
    assert second.verdict == "not judged, since it started from none of these stages as they are"
