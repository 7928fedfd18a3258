"""What an inspection writes and prints, from a result that is made by hand."""

import csv
import json
from pathlib import Path

import numpy as np

from aerialseg.data.checks.finding import Finding
from aerialseg.data.checks.inspected import InspectedImage
from aerialseg.data.checks.inspection import Inspection
from aerialseg.data.checks.place_findings import Pair
from aerialseg.data.layouts.listing import Sample
from aerialseg.report.inspection_files import write_inspection
from aerialseg.report.inspection_tables import show_inspection, summary


def image(key, split, pixels, ignored=0):
    sample = Sample(key, Path(f"{key}.png"), None if pixels is None else Path("m.png"), split)
    counts = None if pixels is None else np.array(pixels)
    return InspectedImage(sample, None, counts, ignored, 0, is_sound=True)


def inspection(findings=(), tables=None):
    images = (
        image("a", "train", [6, 2], ignored=2),
        image("b", "train", [8, 0]),
        image("c", "val", [0, 8]),
        image("t", "test", None),
    )
    pairs = (Pair(images[0], images[2], 0.25, is_copy=False),)
    return Inspection("d", ("road", "[roof]"), images, tuple(findings), pairs, tables or {}, "f")


LONG = Finding(
    "error", "leakage", "many [of] them", tuple(f"id{n}" for n in range(90)), "move them"
)
NOTE = Finding("note", "blurred_image", "one is blurred")


def test_the_statistics_of_each_split_are_those_of_its_masks(tmp_path):
    write_inspection(inspection([LONG, NOTE]), tmp_path)
    content = json.loads((tmp_path / "findings.json").read_text("utf-8"))
    train = content["splits"]["train"]
    assert train["class_pixels"] == {"road": 14, "[roof]": 2}
    assert train["images_with_class"] == {"road": 2, "[roof]": 1}
    assert (train["images"], train["ignored_pixels"]) == (2, 2)
    assert content["splits"]["test"]["without_mask"] == 1
    assert content["counts"] == {"error": 1, "warning": 0, "note": 1}
    assert len(content["findings"][0]["files"]) == 90
    assert content["overlaps"] == [
        {
            "first": "a",
            "second": "c",
            "share": 0.25,
            "is_copy": False,
            "splits": ["train", "val"],
        }
    ]


def test_each_image_has_a_row_and_what_is_not_known_is_empty(tmp_path):
    write_inspection(inspection(), tmp_path)
    with (tmp_path / "images.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["image"] for row in rows] == ["a", "b", "c", "t"]
    assert rows[0]["ignored_share"] == "0.2"
    assert rows[0]["pixels [roof]"] == "2"
    assert (rows[3]["pixels road"], rows[3]["ignored_share"], rows[0]["format"]) == ("", "", "")
    assert all(None not in row and None not in row.values() for row in rows)


def test_tables_of_groups_are_written_where_findings_say(tmp_path):
    path = tmp_path / "sub/groups.csv"
    write_inspection(inspection(tables={path: {"a": "place_1", "b,c": "place_2"}}), tmp_path)
    assert path.read_text("utf-8") == 'image,group\na,place_1\n"b,c",place_2\n'


def test_the_page_of_an_earlier_inspection_does_not_stay_beside_other_findings(tmp_path):
    (tmp_path / "inspection.html").write_text("nothing is wrong")
    write_inspection(inspection([LONG]), tmp_path)
    assert not (tmp_path / "inspection.html").exists()


def test_long_lists_of_files_are_cut_with_a_count(capsys):
    show_inspection(inspection([LONG, NOTE]))
    out = capsys.readouterr().out
    assert "id2" in out
    assert "id3" not in out
    assert "and 87 more" in out
    assert "many [of] them" in out
    assert "-> move them" in out
    assert "[roof]" in out
    assert out.index("leakage") < out.index("blurred_image")


def test_the_summary_counts_each_severity():
    assert summary(inspection([LONG, LONG, NOTE])) == "2 errors, 1 note"
    assert summary(inspection()) == "nothing is wrong"
