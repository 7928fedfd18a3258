"""From the labels of annotations to a class table."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from aerialseg.classes import IGNORE_INDEX, ClassTable
from aerialseg.data.annotations.findings import Findings, stop_at
from aerialseg.data.annotations.shapes import Annotations
from aerialseg.durations import counted
from aerialseg.errors import ConfigError, DataError, did_you_mean
from aerialseg.storage.names import quoted
from aerialseg.viz.palette import distinct_colours

BACKGROUND = "background"
_BACKGROUNDS = ("background", "_background_")
"""Names of the class that has what is not labelled; LabelMe's own is the second."""
_LEFT_OUT = "__ignore__"
"""LabelMe's label for what has no class."""
_BLACK = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class LabelTable:
    """The classes, and what each label means.

    Attributes:
        classes: The class table.
        ids: The class id of each label; 255 for labels whose pixels are ignored.
        unlabelled: The id of pixels under no shape.
        unused: Classes of the source's table that no shape has.
    """

    classes: ClassTable
    ids: Mapping[str, int]
    unlabelled: int
    unused: tuple[str, ...]


def label_table(
    annotations: Annotations,
    *,
    with_background: bool,
    renamed: Mapping[str, str | None],
    given: ClassTable | None,
    findings: Findings,
) -> LabelTable:
    """Builds the class table.

    Classes come in the order of the source's labels, or in alphabetical order where it has no
    table. The background, if there is one, is class 0. Colours are those of the source, where they
    are all different, else distinct ones.

    Args:
        annotations: What was read.
        with_background: Whether pixels under no shape are a class, ``background``.
        renamed: By label, the class that it means; None ignores its pixels.
        given: A table to use in the place of one from the labels.
        findings: Where to note colours that were changed.

    Raises:
        ConfigError: If ``renamed`` has a label that is not there.
        DataError: If labels differ only in case or spaces, are not in the given table, or make
            fewer than two classes or too many.
    """
    shapes = Counter(shape.label for image in annotations.images for shape in image.shapes)
    meanings = _meanings(annotations, renamed)
    wanted = [name for name in dict.fromkeys(meanings.values()) if name is not None]
    _check_alike(wanted, meanings, shapes)
    if given is None:
        classes = _own_table(annotations, wanted, with_background, meanings, findings)
    else:
        classes = given
        _check_given(given, meanings, shapes)
    names = classes.names
    background = next((n for n in names if n.casefold() in _BACKGROUNDS), None)
    _check_classes(names, background, with_background=with_background)
    ids = {
        k: IGNORE_INDEX if v is None else names.index(v)
        for k, v in meanings.items()
        if v is None or v in names
    }
    used = {meanings[label] for label in shapes}
    unused = tuple(name for name in names if name not in used and name != background)
    empty = names.index(background) if with_background and background else IGNORE_INDEX
    return LabelTable(classes, ids, empty, unused)


def _meanings(annotations: Annotations, renamed: Mapping[str, str | None]) -> dict[str, str | None]:
    """The class of each label; None if its pixels are ignored."""
    labels = list(annotations.labels)
    for label in renamed:
        if label not in labels:
            raise ConfigError(
                f"task.renamed_labels: there is no label {quoted(label)}"
                f"{did_you_mean(label, labels)}"
            )
    own = {_LEFT_OUT: None} if annotations.format == "LabelMe" else {}
    return {label: renamed.get(label, own.get(label, label)) for label in labels}


def _check_classes(
    names: tuple[str, ...], background: str | None, *, with_background: bool
) -> None:
    """Checks that there are classes to tell apart, and one for pixels under no shape."""
    if with_background and background is None:
        raise DataError(
            f"task.classes has no class '{BACKGROUND}' for pixels under no shape; add it, or set "
            "task.unlabelled=ignore"
        )
    if len(names) < 2:
        advice = "set task.unlabelled=background if the rest of the images is another class"
        raise DataError(
            f"the only class is '{names[0]}', so there is nothing to tell apart; "
            f"{'label something else too' if with_background else advice}"
        )


def _own_table(
    annotations: Annotations,
    names: list[str],
    with_background: bool,
    meanings: Mapping[str, str | None],
    findings: Findings,
) -> ClassTable:
    """The table of the labels themselves."""
    colours: dict[str, tuple[int, int, int]] = {}
    if not names:
        raise DataError("the annotations have no shapes, so there are no classes; label some first")
    if with_background:
        own = [name for name in names if name.casefold() in _BACKGROUNDS]
        first = own[0] if own else BACKGROUND
        names = [first, *(name for name in names if name != first)]
        colours[first] = _BLACK
    for label, colour in annotations.labels.items():
        name = meanings[label]
        if name in colours or name is None or colour is None:
            continue
        if colour in colours.values():
            findings.add("labels whose colour another has, which get another", label)
        else:
            colours[name] = colour
    fresh = iter(distinct_colours(len(names), taken=[_BLACK, *colours.values()]))
    chosen = tuple(colours[name] if name in colours else next(fresh) for name in names)
    return ClassTable(tuple(names), chosen)


def _check_alike(
    names: list[str], meanings: Mapping[str, str | None], shapes: Mapping[str, int]
) -> None:
    """Checks that no two classes differ only in the case of letters or in spaces."""
    alike: dict[str, list[str]] = {}
    for name in names:
        alike.setdefault(" ".join(name.casefold().split()), []).append(name)
    problems = []
    for group in (group for group in alike.values() if len(group) > 1):
        numbers = {n: sum(shapes.get(k, 0) for k, v in meanings.items() if v == n) for n in group}
        shown = ", ".join(
            f"{quoted(name)} ({counted(number, 'shape')})" for name, number in numbers.items()
        )
        common = max(numbers, key=lambda name: numbers[name])
        pairs = ", ".join(f"{name}: {common}" for name in group if name != common)
        problems.append(
            f"labels {shown} differ only in case or spaces; if they are one class, set "
            f"'task.renamed_labels={{{pairs}}}'"
        )
    stop_at(problems)


def _check_given(
    given: ClassTable, meanings: Mapping[str, str | None], shapes: Mapping[str, int]
) -> None:
    """Checks that the given table has a class for each label that a shape has."""
    problems = []
    for label, number in shapes.items():
        name = meanings[label]
        if name is not None and name not in given.names:
            problems.append(
                f"task.classes: has no class {quoted(name)}, the label of "
                f"{counted(number, 'shape')}"
                f"{did_you_mean(name, given.names)}; add it, or say which class it is with "
                f"'task.renamed_labels={{{label}: CLASS}}'"
            )
    stop_at(problems)
