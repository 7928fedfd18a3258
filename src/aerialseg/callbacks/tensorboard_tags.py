"""The tags under which TensorBoard shows logged values: its page has a section for each prefix."""

import re

from aerialseg.metrics.scores import class_score

_RATE = re.compile(r"lr-[^/]+(?:/(.+))?")
"""A learning rate as Lightning names it: ``lr-SGD/weights``, or ``lr-SGD`` of a nameless group."""


def tag_of(name: str) -> str:
    """The tag of a logged value.

    Sections with scores of all classes stay short, since those of single classes have their own:
    ``val/dice`` is ``val/dice``, ``val/iou_person`` is ``val_iou/person``. ``lr-SGD/weights`` is
    ``learning_rate/weights``.

    Args:
        name: As it was logged, and as CSV and ``metrics.json`` have it.
    """
    if rate := _RATE.fullmatch(name):
        return f"learning_rate/{rate[1] or 'weights'}"
    split, _, score = name.partition("/")
    if of_class := class_score(score):
        return f"{split}_{of_class[0]}/{of_class[1]}"
    return name
