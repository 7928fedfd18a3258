from pathlib import Path

import pytest

from aerialseg.classes import ClassTable


@pytest.fixture
def classes() -> ClassTable:
    return ClassTable(("ground", "car", "tree"), ((10, 20, 30), (200, 0, 0), (0, 200, 0)))


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"
