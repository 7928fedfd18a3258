"""Windows' rule that nothing can be moved or removed while a file of it is mapped, on Linux."""

import errno
import os
import shutil
from pathlib import Path


def mapped_below(folder: Path) -> list[str]:
    """The files in a folder, at any depth, that this process has mapped into memory."""
    maps = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
    paths = [fields[5] for fields in (line.split(maxsplit=5) for line in maps) if len(fields) > 5]
    return [path for path in paths if Path(os.path.abspath(folder)) in Path(path).parents]  # noqa: PTH100


def refuse_while_mapped(monkeypatch) -> None:
    """Lets this process rename or remove only folders of which it has no file mapped."""
    rename, rmtree = os.rename, shutil.rmtree

    def check(folder):
        if mapped_below(Path(folder)):
            raise PermissionError(errno.EACCES, "Access is denied", str(folder))

    def renamed(source, target, **options):
        check(source)
        rename(source, target, **options)

    def removed(path, ignore_errors=False, **options):
        try:
            check(path)
        except PermissionError:
            if not ignore_errors:
                raise
        else:
            rmtree(path, ignore_errors=ignore_errors, **options)

    monkeypatch.setattr(os, "rename", renamed)
    monkeypatch.setattr(shutil, "rmtree", removed)
    monkeypatch.setattr("aerialseg.storage.system_calls._PAUSES", ())
