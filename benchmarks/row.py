"""One line of the results."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Row:
    """The result of one comparison.

    Attributes:
        name: What was compared.
        plain: What the plain formulation takes, in ``unit``.
        ours: What this project's takes.
        goal: What was aimed at.
        kind: How the goal is meant: ``faster`` wants ``plain / ours`` to reach it, ``smaller``
            wants ``ours / plain`` and ``at most`` wants ``ours`` itself to stay within it.
        unit: Seconds or bytes.
        reason: Why the goal is missed, shown if it is.
    """

    name: str
    plain: float
    ours: float
    goal: float
    kind: Literal["faster", "smaller", "at most"] = "faster"
    unit: Literal["s", "B"] = "s"
    reason: str = ""

    @property
    def met(self) -> bool:
        """Whether the goal is reached."""
        if self.kind == "faster":
            return self.plain >= self.goal * self.ours
        return self.ours <= self.goal * (self.plain if self.kind == "smaller" else 1)

    @property
    def ratio(self) -> str:
        """``plain / ours``, or for ``smaller`` the inverse."""
        if self.kind == "smaller":
            return f"{self.ours / self.plain:.2f}x"
        ratio = self.plain / self.ours
        return f"{ratio:.2f}x" if ratio < 2 else f"{ratio:.1f}x" if ratio < 100 else f"{ratio:.0f}x"

    @property
    def goal_text(self) -> str:
        """The goal in words."""
        if self.kind == "at most":
            return f"<= {amount(self.goal, self.unit)}"
        return f"{'>=' if self.kind == 'faster' else '<='} {self.goal:.3g}x"

    @property
    def cells(self) -> tuple[str, str, str, str, str, str]:
        """Name, both amounts, ratio, goal and whether it is met."""
        amounts = amount(self.plain, self.unit), amount(self.ours, self.unit)
        return self.name, *amounts, self.ratio, self.goal_text, "met" if self.met else "not met"

    @property
    def line(self) -> str:
        """The row for the terminal."""
        name, plain, ours, ratio, goal, met = self.cells
        why = f": {self.reason}" if self.reason and not self.met else ""
        return f"{name:<44} {plain:>8} -> {ours:>8} {ratio:>7}  goal {goal:<8} {met}{why}"


def amount(value: float, unit: str) -> str:
    """Seconds or bytes with three digits and a suitable unit."""
    if unit == "B":
        return f"{value / 1e6:.3g} MB"
    if value >= 1:
        return f"{value:.3g} s"
    return f"{value * 1e3:.3g} ms" if value >= 1e-3 else f"{value * 1e6:.3g} us"
