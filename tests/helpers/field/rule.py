"""The form of a rule about combinations."""

from typing import NamedTuple

ON_PAPER = ""
"""In the place of a line: such files cannot be written, or mean nothing."""


class Rule(NamedTuple):
    """When the values of some axes are refused, and what the line says.

    Attributes:
        axes: Separated by spaces.
        applies: Takes their values: those in the tables, except of axes that begin with ``=``, of
            which it takes the names.
        line: A part of the line; of several lines that fit, one after ``|``.
    """

    axes: str
    applies: object
    line: str


def any_of(*names):
    """Applies to these names."""
    return lambda name: name in names
