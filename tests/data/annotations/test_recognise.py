import codecs
import json

import pytest

from aerialseg.data.annotations.recognise import read_annotations
from aerialseg.errors import DataError
from helpers.annotations import SQUARE, coco, cvat, flat, labelme
from helpers.tiny_data import text


def problems_of(source, **options):
    with pytest.raises(DataError) as error:
        read_annotations(source, **options)
    return "\n".join(error.value.problems)


def test_the_format_is_told_by_the_content_whatever_the_name(tmp_path):
    shapes = [(0, 1, [flat(SQUARE)])]
    assert read_annotations(coco(tmp_path / "1.txt", shapes=shapes)).format == "COCO"
    assert read_annotations(labelme(tmp_path / "2.coco", ("roof", SQUARE))).format == "LabelMe"
    assert read_annotations(cvat(tmp_path / "3.json")).format == "CVAT"


def test_labels_of_labelme_files_are_sorted(tmp_path):
    labelme(tmp_path / "a.json", ("tree", SQUARE), ("car", SQUARE))
    labelme(tmp_path / "b/b.json", ("roof", SQUARE))
    labelme(tmp_path / ".hidden/c.json", ("pool", SQUARE))
    found = read_annotations(tmp_path)
    assert list(found.labels) == ["car", "roof", "tree"]
    assert [image.name for image in found.images] == ["a.png", "b.png"]


def test_files_with_one_table_of_labels_are_put_together(tmp_path):
    for part in ("train", "val"):
        coco(tmp_path / part / "_annotations.coco.json", labels=["roof", "car"])
    found = read_annotations(tmp_path)
    assert list(found.labels) == ["roof", "car"]
    assert len(found.images) == 2


def test_files_with_other_tables_need_an_order(tmp_path):
    coco(tmp_path / "1.json", labels=["roof", "car"])
    coco(tmp_path / "2.json", labels=["car", "roof"])
    line = problems_of(tmp_path)
    assert "1.json lists the labels roof, car, " in line
    assert "2.json lists car, roof; say in which order they are classes with task.classes=" in line
    assert set(read_annotations(tmp_path, any_order=True).labels) == {"roof", "car"}


def test_other_files_are_named_and_two_formats_refused(tmp_path):
    labelme(tmp_path / "a.json", ("roof", SQUARE))
    text(tmp_path / "package.json", '{"name": "x"}')
    (line,) = read_annotations(tmp_path).findings.lines()
    assert line == "files that are not used, JSON of another kind: 1 case (package.json)"
    cvat(tmp_path / "b.xml")
    assert "a.json is LabelMe and " in problems_of(tmp_path)


def test_both_formats_in_one_file_are_not_guessed(tmp_path):
    content = {"images": [], "annotations": [], "shapes": [], "imagePath": "a.png"}
    path = text(tmp_path / "a.json", json.dumps(content))
    assert problems_of(path).startswith(f"{path}: has the parts of COCO and of LabelMe")


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (
            '[{"id": 1, "annotations": [], "data": {}}]',
            "is of Label Studio, which can export COCO; wanted COCO or ",
        ),
        (
            '{"_via_img_metadata": {}}',
            "is of VGG Image Annotator, which",
        ),
        ('{"a.jpg1": {"filename": "a.jpg", "regions": []}}', "of VGG Image Annotator"),
        ('{"size": {}, "objects": []}', "is of Supervisely"),
        ('{"x": 1}', "is JSON of another kind; wanted COCO or LabelMe JSON, or CVAT"),
        ("<annotation><object/></annotation>", "is Pascal VOC, which has boxes only"),
        ("<svg/>", "is XML with the root 'svg'"),
        ("{", "is not valid JSON: Expecting property name"),
        ("[" * 100_000, "is not valid JSON: maximum recursion depth exceeded"),
        ("<annotations>", "is not valid XML: no element found"),
        ("", "is not valid JSON: Expecting value"),
    ],
)
def test_what_is_no_annotation_file_is_named(tmp_path, content, wanted):
    path = text(tmp_path / "a.json", content)
    assert problems_of(path).startswith(f"{path}: {wanted}" if wanted[0] == "i" else f"{path}: ")
    assert wanted in problems_of(path)


def test_encodings(tmp_path):
    path = labelme(tmp_path / "a.json", ("tree", SQUARE))
    plain = path.read_text().replace("tree", "forêt")
    path.write_bytes(codecs.BOM_UTF8 + plain.encode())
    assert list(read_annotations(path).labels) == ["forêt"]
    path.write_bytes(plain.encode("latin-1"))
    assert f"{path}: is not UTF-8 (byte " in problems_of(path)
    document = cvat(tmp_path / "a.xml", labels=[("forêt", "#123456")]).read_text()
    utf16 = document.replace('"utf-8"', '"utf-16"').encode("utf-16")
    (tmp_path / "a.xml").write_bytes(utf16)
    assert list(read_annotations(tmp_path / "a.xml").labels) == ["forêt"]


def test_nothing_to_read(tmp_path):
    assert "no such file or folder" in problems_of(tmp_path / "none")
    assert "holds no COCO or LabelMe JSON" in problems_of(tmp_path)
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04")
    assert "is a zip archive; unpack it" in problems_of(tmp_path / "a.zip")
    path = coco(tmp_path / "a.json", names=())
    assert problems_of(path) == "input: the annotations list no image; export them again"
