"""Tables in Markdown."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import yaml

_LONG = 96  # characters of a value that a cell can hold


@dataclass(frozen=True)
class Row:
    """A key of the config: its name, type, default and meaning."""

    key: str
    type: str
    default: str
    meaning: str


def table(rows: Iterable[Row]) -> Iterator[str]:
    """The lines of a table; none without rows."""
    rows = list(rows)
    if rows:
        yield "| key | type and range | default | what it is |\n|---|---|---|---|"
        for row in rows:
            cells = (f"`{row.key}`", row.type, row.default, row.meaning)
            yield f"| {' | '.join(map(cell, cells))} |"
        yield ""


def by_choice(values: Mapping[str, object], *, choices: int) -> str:
    """One value if all of so many choices have it, else each with the choices that have it."""
    shown: dict[str, list[str]] = {}
    for choice, value in values.items():
        shown.setdefault(written(value), []).append(choice)
    if len(shown) == 1 and len(values) == choices:
        return next(iter(shown))
    return "; ".join(f"{value} ({', '.join(names)})" for value, names in shown.items())


def written(value: object) -> str:
    """A value as code, as it is written in YAML."""
    if isinstance(value, Mapping) and "_target_" in value:
        return "see below"
    plain = list(value) if isinstance(value, tuple) else value
    text = yaml.safe_dump(plain, default_flow_style=True, width=10_000, sort_keys=False)
    text = text.removesuffix("\n").removesuffix("\n...")
    return f"`{text}`" if len(text) <= _LONG else "see the file"


def cell(text: str) -> str:
    """A text inside a table: RST's double backticks become Markdown's, bars are escaped."""
    return text.replace("``", "`").replace("|", "\\|")
