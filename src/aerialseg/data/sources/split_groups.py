"""Which images belong together: by a pattern of their ids, or by a table."""

import logging
import re
from collections.abc import Collection, Sequence
from pathlib import Path

from aerialseg.data.layouts.listing import count
from aerialseg.data.layouts.tables import as_id, read_table
from aerialseg.data.notices import say_once
from aerialseg.durations import counted
from aerialseg.errors import ConfigError, DataError
from aerialseg.storage.names import quoted

logger = logging.getLogger(__name__)


def groups_of(
    ids: Sequence[str],
    pattern: str | None,
    table: Path | None = None,
    *,
    known: Collection[str] | None = None,
) -> dict[str, str]:
    """The group of each id; a warning names ids that pattern or table leave alone.

    Args:
        ids: Of the images that are divided.
        pattern: Regular expression with one group; None for none.
        table: CSV file with the columns ``image`` and ``group``; None for none.
        known: Ids that the table may have besides; None for none.

    Raises:
        ConfigError: If the pattern matches none.
        DataError: If the table cannot be read, has other ids, or a row without a group.
    """
    if table is not None:
        return _by_table(ids, table, known or ())
    found = grouped_by_pattern(ids, pattern)
    alone = [key for key, group in found.items() if group is None]
    if pattern is not None and len(alone) == len(ids):
        raise ConfigError(
            f"data.group_pattern: '{pattern}' matches none of {counted(len(ids), 'id')}, such as "
            f"{quoted(ids[0])}; write one that finds in each id what neighbouring frames share, "
            r"as '^(.+)_\d+$' finds flight in flight_001 and '^(.+)/' in flight/001, or set it to "
            "null"
        )
    if pattern is not None and alone:
        say_once(
            logger,
            logging.WARNING,
            f"data.group_pattern: '{pattern}' does not match {count(alone, 'id')} of {len(ids)}; "
            "each of them is a group of its own, which may put neighbouring frames on both sides",
        )
    return marked(found)


def grouped_by_pattern(ids: Sequence[str], pattern: str | None) -> dict[str, str | None]:
    """What a pattern captures in each id; None where it does not match."""
    found = {key: None if pattern is None else re.search(pattern, key) for key in ids}
    return {key: None if match is None else match[1] for key, match in found.items()}


def _by_table(ids: Sequence[str], table: Path, known: Collection[str]) -> dict[str, str]:
    """The group of each id by a CSV file."""
    try:
        rows = read_table(table, key="image", value="group")
    except DataError as error:
        raise DataError(*(f"data.groups: {problem}" for problem in error.problems)) from None
    all_ids = {*ids, *known}
    given = {as_id(name, all_ids): cell for name, (cell, _) in rows.items()}
    if unknown := [key for key in given if key not in all_ids]:
        raise DataError(
            f"data.groups: {table} has {count(unknown, 'id')} that no image of the data set has; "
            f"its ids are such as {quoted(next(iter(ids), ''))}; correct the table, or make it anew"
        )
    if empty := [key for key, group in given.items() if not group]:
        raise DataError(
            f"data.groups: {table} has no group for {count(empty, 'id')}; write one, or leave the "
            "rows out to make each of them a group of its own"
        )
    if alone := [key for key in ids if key not in given]:
        say_once(
            logger,
            logging.WARNING,
            f"data.groups: {table} does not have {count(alone, 'id')} of {len(ids)}; each of them "
            "is a group of its own, which may put images of one place on both sides",
        )
    return marked({key: given.get(key) for key in ids})


def marked(found: dict[str, str | None]) -> dict[str, str]:
    """With a mark that keeps an id that is alone apart from a group of the same name."""
    return {key: f"id {key}" if group is None else f"group {group}" for key, group in found.items()}
