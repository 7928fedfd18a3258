import csv
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from aerialseg.classes import ClassTable
from aerialseg.data.images.reading_settings import Reading
from aerialseg.data.layouts.listing import Sample
from aerialseg.errors import DataError
from aerialseg.tasks import submit as module_under_test
from aerialseg.tasks.submit import submit
from helpers.composing import experiment
from helpers.tiny_training import describe_run

TABLE = ClassTable(("ground", "car", "tree"), ((1, 2, 3), (200, 0, 0), (0, 200, 0)))
MASKS = {
    "007_010": np.array([[0, 0, 1], [1, 1, 0]], dtype=np.uint8),
    "007_002": np.array([[2, 2], [2, 2]], dtype=np.uint8),
}
ROW_BY_ROW = {
    "007_010_0": "1 2 6 1",
    "007_010_1": "3 3",
    "007_010_2": "",
    "007_002_0": "",
    "007_002_1": "",
    "007_002_2": "1 4",
}


class Oracle:
    """Returns the mask of a known image, identified by its first pixel."""

    classes = TABLE
    checkpoint = Path("oracle.ckpt")
    description = describe_run(image_min_size=None)
    device = torch.device("cpu")

    def check_classes(self, classes):
        assert classes.names == self.classes.names

    def edge_of(self, size):
        return None

    def logits_of(self, images):
        return torch.from_numpy(images[:, 0, 0, :1].astype(np.float32))

    def logits(self, image):
        return self.logits_of(image[None])

    def labels(self, logits, size):
        (mask,) = (list(MASKS.values())[int(number)] for number in logits)
        assert mask.shape == size
        return mask


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A test split in the order of its test.csv, and a predictor that returns the true masks."""
    samples = []
    for index, (name, mask) in enumerate(MASKS.items()):
        path = tmp_path / f"{name}.png"
        Image.fromarray(np.full((*mask.shape, 3), index, dtype=np.uint8)).save(path)
        samples.append(Sample(id=name, image=path, mask=None, split="test"))
    data = SimpleNamespace(
        place=str(tmp_path),
        sources=SimpleNamespace(are_several=False),
        classes=TABLE,
        reading=Reading(),
        served=Reading(),
        contents=SimpleNamespace(
            of=lambda split: tuple(samples) if split == "test" else (), sample_submission=None
        ),
    )
    monkeypatch.setattr(module_under_test, "build_data", lambda experiment: data)
    monkeypatch.setattr(module_under_test, "build_predictor", lambda experiment, **_: Oracle())
    config = experiment("task=submit", "trainer=cpu", f"paths.output_dir={tmp_path}/out")
    return SimpleNamespace(config=config, data=data, folder=tmp_path)


def read(path):
    with path.open(newline="") as file:
        header, *rows = csv.reader(file)
    return header, rows


def give_sample(project, *lines):
    path = project.folder / "sampleSubmission.csv"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    project.data.contents.sample_submission = path
    return path


def line_of_refusal(project):
    with pytest.raises(DataError) as error:
        submit(project.config)
    assert not (project.folder / "out").exists(), "refused, yet written"
    (line,) = error.value.problems
    return line


def test_a_row_for_each_image_and_class_in_the_order_of_the_split(project):
    path = submit(project.config)
    assert path == project.folder / "out" / "submission.csv"
    header, rows = read(path)
    assert header == ["ImageID", "EncodedPixels"]
    assert rows == [[name, code] for name, code in ROW_BY_ROW.items()]


def test_pixels_may_be_counted_down_the_columns(project):
    rows = dict(read(submit(project.config, order="column"))[1])
    # Columns of the first mask: 0 1 | 0 1 | 1 0
    assert rows["007_010_0"] == "1 1 3 1 6 1"
    assert rows["007_010_1"] == "2 1 4 2"
    assert rows["007_002_2"] == "1 4"


def test_the_sample_decides_order_and_column_names(project):
    wanted = sorted(ROW_BY_ROW, reverse=True)
    give_sample(project, "id,rle", *(f"{name},1 1" for name in wanted))
    header, rows = read(submit(project.config))
    assert header == ["id", "rle"]
    assert rows == [[name, ROW_BY_ROW[name]] for name in wanted]


def test_a_sample_may_have_a_byte_order_mark_and_blank_lines(project):
    give_sample(project, "\ufeffImageID,EncodedPixels", *(f"{n}," for n in ROW_BY_ROW), "", "")
    header, rows = read(submit(project.config))
    assert header == ["ImageID", "EncodedPixels"]
    assert [name for name, _ in rows] == list(ROW_BY_ROW)


def test_rows_that_the_sample_lacks_are_counted(project):
    path = give_sample(project, "ImageID,EncodedPixels", *(f"{n}," for n in list(ROW_BY_ROW)[:-2]))
    assert line_of_refusal(project) == (
        f"{path}: asks for 4 rows under 2 columns; 0 of them are not in test.csv times the "
        "classes and 2 rows are not asked for, first '007_002_1'"
    )


def test_rows_that_only_the_sample_has_are_counted(project):
    path = give_sample(project, "ImageID,EncodedPixels", *(f"{n}," for n in ROW_BY_ROW), "9_1_0,")
    assert line_of_refusal(project) == (
        f"{path}: asks for 7 rows under 2 columns; 1 of them are not in test.csv times the "
        "classes and 0 rows are not asked for, first '9_1_0'"
    )


def test_a_sample_with_other_columns_is_refused(project):
    path = give_sample(project, "ImageID,a,b", *(f"{n},," for n in ROW_BY_ROW))
    assert line_of_refusal(project).startswith(f"{path}: asks for 6 rows under 3 columns")


@pytest.mark.parametrize("lines", [[], [""], ["ImageID,EncodedPixels"]])
def test_an_empty_sample_is_refused(project, lines):
    path = give_sample(project, *lines)
    assert line_of_refusal(project).startswith(f"{path}: asks for 0 rows")


def test_a_sample_that_asks_for_a_row_twice_is_refused(project):
    ids = [*ROW_BY_ROW, "007_010_1"]
    path = give_sample(project, "ImageID,EncodedPixels", *(f"{name}," for name in ids))
    assert line_of_refusal(project).startswith(f"{path}: asks for '007_010_1' twice")


def test_swapped_columns_are_refused(project):
    path = give_sample(project, "EncodedPixels,ImageID", *(f"1 1,{n}" for n in ROW_BY_ROW))
    assert str(path) in line_of_refusal(project)


def test_without_a_test_split_there_is_nothing_to_submit(project):
    project.data.contents.of = lambda split: ()
    assert "has no test split" in line_of_refusal(project)


def test_codes_that_do_not_decode_to_the_mask_are_never_written(project, monkeypatch):
    monkeypatch.setattr(module_under_test, "encode", lambda *args, **kwargs: ["1 1", "", ""])
    assert line_of_refusal(project) == "007_010: class 0 does not decode back to its mask"


def test_a_submission_of_several_data_sets_is_refused(project):
    project.data.sources.are_several = True
    with pytest.raises(DataError, match="a submission is for one data set; choose it with"):
        submit(project.config)
