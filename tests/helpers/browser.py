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
        beside: Whether it may show files of its own folder too.
        options: Of the browser's context, such as ``viewport`` and ``color_scheme``.
    """

    def __init__(self, browser, path: Path, *, beside: bool = False, **options) -> None:
        self.problems: list[str] = []
        self._own = f"{path.absolute().parent.as_uri()}/" if beside else None
        self.page = browser.new_page(**options)
        self.page.on("console", lambda said: self.problems.append(said.text))
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("request", self._asked)
        self._path = path.absolute().as_uri()
        self.page.goto(self._path)
        self.page.wait_for_load_state("networkidle")

    def _asked(self, request) -> None:
        own = self._own is not None and request.url.startswith(self._own)
        if not (own or request.url.startswith(("data:", "blob:")) or request.url == self._path):
            self.problems.append(f"asked for {request.url}")


def captions(page) -> list[str]:
    """The names below the images of a gallery, in its order."""
    return page.locator(".caption span:first-child").all_inner_texts()


def serious_faults(page) -> list[tuple[str, list[str]]]:
    """What axe calls serious or worse, each with the first places where it is."""
    from axe_playwright_python.sync_playwright import Axe

    return [
        (each["id"], [node["html"] for node in each["nodes"]][:3])
        for each in Axe().run(page).response["violations"]
        if each["impact"] in ("serious", "critical")
    ]
