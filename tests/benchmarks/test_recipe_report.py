import re
from dataclasses import replace

import pytest

from benchmarks.recipes.records import append_record
from benchmarks.recipes.report import report, write_report
from helpers.recipe_records import SETTING, record

RUNS = [
    record("seed", fold=0, miou=0.4, seconds=50.0),
    record("strong", fold=0, miou=0.5, order=1),
    record("strong", fold=0, seed=1, miou=0.7, order=1),
    record("seed", fold=1, miou=0.6, seconds=70.0),
    record("strong", fold=1, miou=0.8, order=1),
]


def rows(text):
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def test_a_row_has_means_intervals_and_the_paired_difference():
    head, _, seed, strong, *_ = rows(report(RUNS))
    assert head == ["variant", "runs", "mIoU", "Dice", "seconds", "mIoU against seed"]
    # Of two values the half width is 12.706 / sqrt(2) deviations, half of their distance 12.706.
    assert seed == [
        *("seed", "2 (2 folds, 1 seed)", "0.5000 ± 1.2706", "0.6000 ± 1.2706"),
        *("60 (50 to 70)", ""),
    ]
    # Fold means 0.6 and 0.8. On the shared runs, 0.5 - 0.4 and 0.8 - 0.6.
    assert strong == [
        *("strong", "3 (2 folds, 2 seeds)", "0.7000 ± 1.2706", "0.8000 ± 1.2706"),
        *("61 (61 to 61)", "+0.1500 ± 0.6353 (2 folds)"),
    ]


def test_the_first_of_the_command_is_compared_with_even_if_it_was_recorded_later():
    table = rows(report(sorted(RUNS, key=lambda run: -run.order)))
    assert table[0][-1] == "mIoU against seed"
    assert [row[0] for row in table[2:4]] == ["seed", "strong"]


def test_the_table_of_stages_shows_what_each_brought():
    text = report(RUNS)
    assert ["seed", "head", "", "0.3000", "3.0 of 3", "11"] in rows(text)
    assert ["seed", "full", "0.3000", "0.6000", "8.0 of 10", "50"] in rows(text)


def test_overrides_machine_command_and_revisions_are_below():
    own = {"overrides": ("recipe=strong", "x=/somewhere/t.ckpt"), "revision": "def"}
    text = report([*RUNS, record("distilled", order=2, **own)])
    assert "\n- seed: `recipe=seed`, `recipe.scale` 0.5 (59 s planned)\n" in text
    assert "\n- distilled: `recipe=strong x=PATH`" in text
    assert "\n- a cpu, 2 cores, 1 thread a run, 1 at a time\n" in text
    assert "\n- revision `abc`, `def`\n" in text
    assert "\n    python -m benchmarks.recipes ...\n" in text


def test_each_setting_has_a_section_of_its_own():
    longer = replace(SETTING, seconds=0.0)
    text = report([*RUNS, record(setting=longer), record(setting=replace(SETTING, images=200))])
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## scenes, 50 images, recipes of full length",
        "## scenes, 50 images, 60 s of training",
        "## scenes, 200 images, 60 s of training",
    ]


def test_other_overrides_under_one_name_are_another_row():
    changed = record("strong", order=1, overrides=("recipe=strong", "a=1"))
    assert [row[0] for row in rows(report([*RUNS, changed]))[2:5]] == [
        "seed",
        "strong",
        "strong (2)",
    ]


def test_the_report_is_made_of_all_files(tmp_path):
    append_record(tmp_path / "scenes.jsonl", RUNS[0])
    append_record(tmp_path / "dubai.jsonl", record(setting=replace(SETTING, data="dubai")))
    write_report(tmp_path, tmp_path / "docs" / "RECIPES.md")
    text = (tmp_path / "docs" / "RECIPES.md").read_text(encoding="utf-8")
    assert text.index("## dubai, 50 images") < text.index("## scenes, 50 images")


def test_without_runs_there_is_only_the_explanation():
    assert report([]).startswith("# Recipes")
    assert rows(report([])) == []


@pytest.mark.parametrize("number", [1, 2])
def test_one_fold_has_a_mean_and_no_interval(number):
    runs = [record(seed=seed, miou=0.5) for seed in range(number)]
    assert rows(report(runs))[2][2] == "0.5000"
