"""The page of a review in a real browser, beside the crops that it leads to."""

import subprocess
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest
from PIL import Image
from playwright.sync_api import expect

from aerialseg.report.review_folder import files_of
from helpers.browser import Opened, serious_faults
from helpers.written_reviews import COMMAND, IMAGES, written_review


@pytest.fixture(scope="module")
def review(tmp_path_factory):
    """A folder with a review, and what its record says."""
    folder = tmp_path_factory.mktemp("data") / "review #1"
    return folder, written_review(folder)


@pytest.fixture
def opened(chromium, review):
    """Opens the page; nothing may go wrong in it, and nothing is asked for outside its folder."""
    pages = []

    def open_page(folder=review[0], **options):
        pages.append(Opened(chromium, folder / "index.html", beside=True, **options))
        return pages[-1].page

    yield open_page
    for each in pages:
        each.page.close()
        assert each.problems == []


def file_of(link):
    """The file that a link leads to."""
    address = urlparse(link.evaluate("each => each.href"))
    assert (address.scheme, address.fragment) == ("file", "")
    return Path(unquote(address.path))


def test_names_are_text_and_never_markup(opened):
    page = opened()
    assert page.locator("main b, main i").count() == 0
    titles = page.locator(".region h3").all_inner_texts()
    assert titles == [f"{rank}. {name}" for rank, name in enumerate(IMAGES, start=1)]
    expect(page.locator(".region strong").first).to_have_text("<b>roof</b>")


def test_regions_stand_where_the_evidence_is_of_one_kind(opened):
    page = opened()
    for anchor, kind in (("unseen", "no"), ("unknown", "unknown"), ("trained", "yes")):
        shown = page.locator(f"h2#{anchor} + p + ul > li h3").all_inner_texts()
        assert [each.partition(". ")[2] for each in shown] == [
            n for n in IMAGES if IMAGES[n] == kind
        ]
    expect(page.locator(".how pre")).to_have_text(COMMAND)


def test_overviews_load_and_take_the_room_that_the_page_kept_for_them(opened, review):
    page = opened()
    images = page.locator(".region img")
    heights = images.evaluate_all("all => all.map(each => each.getBoundingClientRect().height)")
    for image, region in zip(images.all(), review[1].regions, strict=True):
        image.scroll_into_view_if_needed()
        expect(image).to_have_js_property("complete", True)
        width, height = Image.open(review[0] / files_of(region)["overview"]).size
        expect(image).to_have_js_property("naturalWidth", width)
        expect(image).to_have_js_property("naturalHeight", height)
    after = images.evaluate_all("all => all.map(each => each.getBoundingClientRect().height)")
    assert after == pytest.approx(heights, abs=1)
    assert len(set(heights)) > 1


def test_each_crop_is_linked_to(opened, review):
    page, (folder, record) = opened(), review
    for card, region in zip(page.locator(".region").all(), record.regions, strict=True):
        links = {link.inner_text(): file_of(link) for link in card.locator("a").all()}
        files = files_of(region)
        assert links == {
            "image": folder / files["image"],
            "mask": folder / files["mask"],
            "prediction": folder / files["predicted"],
            "suggestion": folder / files["suggested"],
        }
        assert all(Image.open(p).size == region.crop.size[::-1] for p in links.values())
    assert file_of(page.locator(".files a")) == folder / "index.csv"


def test_the_keyboard_alone_opens_the_crops_in_their_order(opened, review):
    page, (folder, record) = opened(), review
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    reached = []
    for _ in range(2 + 4 * len(IMAGES)):  # the command, the table, the crops
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.getAttribute('aria-label')"))
    kinds = ("image", "mask", "prediction", "suggestion")
    assert reached[2:] == [
        f"crop of region {region.rank}: {kind}" for region in record.regions for kind in kinds
    ]
    page.keyboard.press("Enter")  # on the suggestion for the last region
    page.wait_for_url("**/suggested/**")
    suggested = folder / files_of(record.regions[-1])["suggested"]
    assert Path(unquote(urlparse(page.url).path)) == suggested
    assert page.evaluate("document.images[0].naturalWidth") == record.regions[-1].crop.width


def test_the_line_of_a_region_copies_its_suggestion(opened, tmp_path):
    folder = tmp_path / "review"
    record = written_review(folder)
    page = opened(folder)
    for line in page.locator(".region code").all_inner_texts():
        subprocess.run(["sh", "-c", line], cwd=folder, check=True)
    for region in record.regions:
        files = files_of(region)
        corrected, suggested = (folder / files[key] for key in ("corrected", "suggested"))
        assert corrected.read_bytes() == suggested.read_bytes()


def test_a_review_without_a_region_says_so(opened, tmp_path):
    written_review(tmp_path / "review", images={})
    page = opened(tmp_path / "review")
    expect(page.locator("main")).to_contain_text("No network contradicts a label with confidence.")
    assert page.locator(".region, h2:not(#how)").count() == 0
    assert page.locator("nav a").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_and_axe_finds_no_serious_fault(opened, scheme, width):
    page = opened(viewport={"width": width, "height": 900}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert serious_faults(page) == []
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 28)"
    assert dark == (scheme == "dark")
    assert all(page.locator(".region img").evaluate_all("all => all.map(each => each.alt)"))
