"""Links in the pages lead somewhere, and nothing points out of the repository."""

import re

import pytest

from helpers.pages import PAGES, ROOT, prose

LINK = re.compile(r"\]\(([^)\s]+)\)")
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def anchors(page):
    """The fragments that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
    return {heading.replace(" ", "-") for heading in plain}


@every_page
def test_links_lead_to_files_and_headings(page):
    for link in LINK.findall(prose(page)):
        if "://" in link:
            continue
        path, _, fragment = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_relative_to(ROOT), link
        assert target.exists(), link
        assert not fragment or fragment in anchors(target), link


@every_page
def test_images_say_what_they_show(page):
    assert all(text for text in re.findall(r"!\[([^\]]*)\]", page.read_text("utf-8")))


@every_page
def test_no_page_names_a_place_on_some_machine(page):
    assert not re.search(r"(?<![\w.])/(?:home|work|tmp|root|Users)/", page.read_text("utf-8"))
