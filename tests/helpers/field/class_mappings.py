"""What classes become by ``data.map_classes``."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from helpers.field.typing_texts import renaming


class Mapped(NamedTuple):
    """What is typed, and the ids that follow.

    Attributes:
        given: Names of classes made into what is typed: by name what it becomes, None for nothing.
        ids: By the number of classes, the trained id of each, None where it is ignored; none for
            numbers of which it leaves less than two.
    """

    given: Callable
    ids: Mapping

    def typed(self, names):
        """What a user types."""
        given = self.given(names)
        return [renaming("data.map_classes", given)] if given else []


_ALL = {2: (0, 1), 3: (0, 1, 2)}
MAPPINGS = {
    "none": Mapped(lambda names: {}, _ALL),
    "renamed": Mapped(lambda names: {names[1]: "something else"}, _ALL),
    "merged": Mapped(lambda names: {names[-1]: names[-2]}, {3: (0, 1, 1)}),
    "merged-upwards": Mapped(lambda names: {names[0]: names[-1]}, {3: (1, 0, 1)}),
    "merged-anew": Mapped(
        lambda names: {names[0]: "covered, all", names[-1]: "covered, all"}, {3: (0, 1, 0)}
    ),
    "first-ignored": Mapped(lambda names: {names[0]: None}, {3: (None, 0, 1)}),
    "last-ignored": Mapped(lambda names: {names[-1]: None}, {3: (0, 1, None)}),
}
