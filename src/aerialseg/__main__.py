"""``python -m aerialseg``: the command ``aerialseg`` where scripts are not on the path."""

from aerialseg.entry import main

if __name__ == "__main__":
    main()
