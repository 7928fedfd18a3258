"""The notebook runs from start to end, as a newcomer's would."""

import base64
import io
import sys

import nbformat
import pytest
from nbclient import NotebookClient
from PIL import Image

from helpers.pages import ROOT

TOUR = ROOT / "notebooks/tour.ipynb"
NEEDED = ("run.py", "conf", "src", "weights")
MOST_CELLS = 14


def test_it_is_short_and_holds_no_output():
    notebook = nbformat.read(TOUR, as_version=4)
    nbformat.validate(notebook)
    assert len(notebook.cells) <= MOST_CELLS
    assert not any(cell.get("outputs") for cell in notebook.cells)


@pytest.mark.slow
def test_it_runs_from_start_to_end(tmp_path, monkeypatch):
    """In a folder that has nothing of an earlier run."""
    for name in NEEDED:
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "notebooks").mkdir()
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    notebook = nbformat.read(TOUR, as_version=4)
    client = NotebookClient(
        notebook, timeout=600, resources={"metadata": {"path": str(tmp_path / "notebooks")}}
    )
    kernel = client.create_kernel_manager()
    kernel.kernel_spec.argv[0] = sys.executable
    client.execute()
    results = [_last_result(cell) for cell in notebook.cells if cell.cell_type == "code"]
    images = [_image(result) for result in results if result and "image/png" in result]
    assert len(images) == 3, "samples, predictions, confusions"
    assert all(len(image.getcolors(image.width * image.height)) > 100 for image in images)
    tables = [result["text/html"] for result in results if result and "<th>" in str(result)]
    assert ["vegetation" in table for table in tables] == [True, True]
    assert (tmp_path / "runs/tour/report/report.html").is_file()


def _last_result(cell):
    """What a cell shows of its last line, by type."""
    return next((out.data for out in reversed(cell.outputs) if "data" in out), None)


def _image(result):
    return Image.open(io.BytesIO(base64.b64decode(result["image/png"]))).convert("RGB")
