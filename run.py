"""The entry point in a clone: the command ``aerialseg`` with the conf/ beside this file."""

from pathlib import Path

from aerialseg.entry import run_command_line

if __name__ == "__main__":
    run_command_line(Path(__file__).parent)
