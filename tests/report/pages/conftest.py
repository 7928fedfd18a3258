import pytest

from helpers.browser import Opened, browser


@pytest.fixture(scope="package")
def chromium():
    with browser() as started:
        yield started


@pytest.fixture
def opened(chromium, written):
    """The page that a module has written, in a browser; nothing may go wrong in it."""
    found = Opened(chromium, written[1])
    yield found.page
    found.page.close()
    assert found.problems == []
