"""Tables on the terminal, and whole where the output is a file or a pipe."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table


def print_whole(table: "Table", *lines: str) -> None:
    """Prints a table and lines below it.

    A terminal's width is kept. Elsewhere the table is as wide as it needs to be: the width that
    rich assumes there would cut headings and names.
    """
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        unlimited = console.options.update(max_width=10_000)
        console.width = max(console.width, console.measure(table, options=unlimited).maximum)
    console.print(table)
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
