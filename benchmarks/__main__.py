"""Runs the benchmarks and writes the table: ``python -m benchmarks``."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from benchmarks.command import Script, parser, setting_of, show
from benchmarks.results import table

SCRIPTS = (
    "sample",
    "loader",
    "class_weights",
    "metrics",
    "loss",
    "training_step",
    "cached_step",
    "equal_epochs",
    "curves",
    "custom_gradients",
    "inference",
    "rle",
    "colour_mask",
    "startup",
)
RESULTS = Path(__file__).with_name("RESULTS.md")


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs all scripts and writes their table, or runs the given ones."""
    options = parser("Times this project's implementations against plain ones.")
    options.add_argument("scripts", nargs="*", metavar="SCRIPT", help=", ".join(SCRIPTS))
    options.add_argument("--output", type=Path, metavar="FILE", help=f"default: {RESULTS.name}")
    chosen = options.parse_args(arguments)
    if unknown := set(chosen.scripts) - set(SCRIPTS):
        options.error(f"no script {', '.join(sorted(unknown))}; there are {', '.join(SCRIPTS)}")
    setting = setting_of(chosen)
    rows = [row for name in chosen.scripts or SCRIPTS for row in show(_script(name), setting)]
    # A partial or quick run must not overwrite the full results.
    output = chosen.output or (None if chosen.scripts or chosen.quick else RESULTS)
    if output is not None:
        output.write_text(table(rows, setting), encoding="utf-8")
        print(output)


def _script(name: str) -> Script:
    script: Script = import_module(f"benchmarks.{name}").rows
    return script


if __name__ == "__main__":
    main()
