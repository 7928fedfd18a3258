import pytest

from aerialseg.classes import ClassTable
from aerialseg.data.annotations.findings import Findings
from aerialseg.data.annotations.label_table import label_table
from aerialseg.data.annotations.shapes import AnnotatedImage, Annotations, Shape, rectangle
from aerialseg.errors import AerialsegError, ConfigError, DataError

BOX = rectangle(0, 0, 2, 2)


def annotations(labels, used=None, format="COCO"):
    colours = labels if isinstance(labels, dict) else dict.fromkeys(labels)
    shapes = tuple(Shape(name, BOX, "") for name in (colours if used is None else used))
    return Annotations(format, colours, (AnnotatedImage("a", "f", None, shapes),))


def table(labels, used=None, format="COCO", **options):
    defaults = {"with_background": True, "renamed": {}, "given": None, "findings": Findings()}
    return label_table(annotations(labels, used, format), **defaults | options)


def test_classes_follow_the_background_in_the_order_of_the_source():
    found = table(["roof", "car", "pool"], used=["roof", "car"])
    assert found.classes.names == ("background", "roof", "car", "pool")
    assert found.ids == {"roof": 1, "car": 2, "pool": 3}
    assert (found.unlabelled, found.unused) == (0, ("pool",))
    assert found.classes.colours[0] == (0, 0, 0)


def test_without_a_background_unlabelled_pixels_are_ignored():
    found = table(["roof", "car"], with_background=False)
    assert found.classes.names == ("roof", "car")
    assert (found.ids, found.unlabelled) == ({"roof": 0, "car": 1}, 255)


@pytest.mark.parametrize("name", ["background", "Background", "_background_"])
def test_a_background_of_the_source_is_class_0(name):
    found = table(["roof", name])
    assert found.classes.names == (name, "roof")
    assert (found.ids, found.unlabelled) == ({"roof": 1, name: 0}, 0)
    kept = table(["roof", name], with_background=False)
    assert (kept.classes.names, kept.unlabelled) == (("roof", name), 255)


def test_colours_are_those_of_the_source_unless_two_are_equal():
    labels = {"a": (9, 9, 9), "b": (1, 200, 3), "c": (9, 9, 9), "d": None, "e": (0, 0, 0)}
    findings = Findings()
    found = table(labels, findings=findings)
    assert found.classes.colours[1:3] == ((9, 9, 9), (1, 200, 3))
    assert len(set(found.classes.colours)) == 6
    assert list(findings.lines()) == [
        "labels whose colour another has, which get another: 2 cases (c, e)"
    ]


def test_renamed_labels_become_one_class_or_are_ignored():
    renamed = {"car": "vehicle", "truck": "vehicle", "shadow": None}
    found = table(["roof", "car", "truck", "shadow"], renamed=renamed)
    assert found.classes.names == ("background", "roof", "vehicle")
    assert found.ids == {"roof": 1, "car": 2, "truck": 2, "shadow": 255}


def test_labelme_has_a_label_for_what_is_ignored():
    assert table(["__ignore__", "roof"], format="LabelMe").ids == {"__ignore__": 255, "roof": 1}
    assert table(["__ignore__", "roof"]).ids == {"__ignore__": 1, "roof": 2}


def test_a_given_table_decides_ids_and_colours():
    given = ClassTable(("car", "background", "tree"), ((1, 1, 1), (2, 2, 2), (3, 3, 3)))
    found = table(["tree", "Car"], given=given, renamed={"Car": "car"})
    assert found.classes == given
    assert (found.ids, found.unlabelled) == ({"tree": 2, "Car": 0}, 1)


GIVEN = ClassTable(("car", "tree"), ((1, 1, 1), (2, 2, 2)))
BROKEN = {
    "case": (
        {"labels": ["Roof", "roof", "car"], "used": ["roof", "Roof", "roof"]},
        "labels 'Roof' (1 shape), 'roof' (2 shapes) differ only in case or spaces; if they are "
        "one class, set 'task.renamed_labels={Roof: roof}'",
    ),
    "spaces": ({"labels": ["flat roof", "flat  roof"]}, "differ only in case or spaces"),
    "unknown label": (
        {"labels": ["roof"], "renamed": {"rof": "roof"}},
        "task.renamed_labels: there is no label 'rof'; did you mean 'roof'?",
    ),
    "not in the table": (
        {"labels": ["trees"], "given": GIVEN, "with_background": False},
        "task.classes: has no class 'trees', the label of 1 shape; did you mean 'tree'?; add it",
    ),
    "no background in the table": (
        {"labels": ["tree"], "given": GIVEN},
        "task.classes has no class 'background' for pixels under no shape; add it, or set",
    ),
    "one class": (
        {"labels": ["roof"], "with_background": False},
        "the only class is 'roof', so there is nothing to tell apart; set task.unlabelled=",
    ),
    "only a background": (
        {"labels": ["Background"]},
        "the only class is 'Background', so there is nothing to tell apart; label something else",
    ),
    "no label": ({"labels": []}, "the annotations have no shapes, so there are no classes"),
    "too many": ({"labels": [f"c{i}" for i in range(255)]}, "has 256 names"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_refused(case):
    options, wanted = BROKEN[case]
    kind = ConfigError if case == "unknown label" else DataError
    with pytest.raises(kind) as error:
        table(**options)
    (line,) = error.value.problems
    assert wanted in line


def test_the_advice_on_labels_that_are_alike_is_what_to_type():
    with pytest.raises(AerialsegError):
        table(["Roof", "roof"])
    found = table(["Roof", "roof"], renamed={"Roof": "roof"})
    assert found.classes.names == ("background", "roof")
