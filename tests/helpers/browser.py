"""A real browser, without a window and without a network."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def chromium() -> str:
    """The browser: that of ``AERIALSEG_CHROMIUM``, which must exist, or else the system's."""
    named = os.environ.get("AERIALSEG_CHROMIUM")
    if named:
        assert Path(named).is_file(), f"AERIALSEG_CHROMIUM: {named} does not exist"
        return named
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("there is no chromium; install it, or name it in AERIALSEG_CHROMIUM")
    return found


@contextmanager
def browser() -> Iterator:
    """A browser of Playwright."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield started
        started.close()


class Opened:
    """A page of a file, with what went wrong in it.

    Args:
        browser: From :func:`browser`.
        path: The file.
        options: Of the browser's context, such as ``viewport`` and ``color_scheme``.
    """

    def __init__(self, browser, path: Path, **options) -> None:
        self.problems: list[str] = []
        self.page = browser.new_page(**options)
        self.page.on("console", lambda said: self.problems.append(said.text))
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("request", self._asked)
        self._path = path.absolute().as_uri()
        self.page.goto(self._path)
        self.page.wait_for_load_state("networkidle")

    def _asked(self, request) -> None:
        if not request.url.startswith(("data:", "blob:")) and request.url != self._path:
            self.problems.append(f"asked for {request.url}")


def captions(page) -> list[str]:
    """The names below the images of a gallery, in its order."""
    return page.locator(".caption span:first-child").all_inner_texts()
