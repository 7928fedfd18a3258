import json

import pytest

from benchmarks.recipes.records import append_record, read_records, recorded
from helpers.recipe_records import SETTING, record


def test_a_record_is_a_json_line_and_comes_back(tmp_path):
    path = tmp_path / "new" / "scenes.jsonl"
    runs = [record(fold=fold) for fold in range(2)]
    for run in runs:
        append_record(path, run)
    lines = path.read_text().splitlines()
    assert [json.loads(line)["fold"] for line in lines] == [0, 1]
    assert json.loads(lines[0])["setting"]["size"] == [64, 96]
    assert read_records(path) == runs


def test_no_file_is_no_record(tmp_path):
    assert read_records(tmp_path / "none.jsonl") == []


def test_a_line_that_was_cut_off_is_left_out_and_replaced(tmp_path):
    path = tmp_path / "scenes.jsonl"
    append_record(path, record(fold=0))
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:100])
    assert read_records(path) == [record(fold=0)]
    append_record(path, record(fold=1))
    assert read_records(path) == [record(fold=0), record(fold=1)]


def test_a_last_line_without_an_end_is_kept(tmp_path):
    path = tmp_path / "scenes.jsonl"
    append_record(path, record(fold=0))
    path.write_bytes(path.read_bytes().rstrip())
    append_record(path, record(fold=1))
    assert read_records(path) == [record(fold=0), record(fold=1)]


def test_another_damaged_line_is_named(tmp_path):
    path = tmp_path / "scenes.jsonl"
    append_record(path, record())
    path.write_text('{"fold": 3}\n' + path.read_text())
    with pytest.raises(ValueError, match=r"scenes\.jsonl: line 1 is no run .*setting: Field"):
        read_records(path)


def test_runs_are_found_by_setting_overrides_and_config_not_by_name():
    runs = [
        record("strong"),
        record("other name", overrides=("recipe=strong",), revision="def"),
        record("strong", overrides=("recipe=strong", "a=1")),
        record("strong", setting=SETTING.__class__("dubai", 50, None, "", (), 2, 60.0)),
        record("strong", config="of an older file"),
    ]
    assert list(recorded(runs, SETTING, ["recipe=strong"], "c0ffee")) == runs[:2]
