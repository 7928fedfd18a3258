"""The page of a run in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from aerialseg.data.checks.seen_places import SeenPlace
from aerialseg.metrics.scores import macro_dice, mean_iou, pixel_accuracy
from aerialseg.report.leakage import Leakage
from helpers.browser import Opened, captions, serious_faults
from helpers.run_pages import leaking_page, run_page

IMAGES = 30


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    page = run_page(IMAGES)
    path.write_text(page.html(), encoding="utf-8")
    return page, path


def test_names_are_text_and_never_markup(opened):
    expect(opened.locator("#classes ~ div tbody th").nth(1)).to_have_text("<b>roof</b>")
    assert opened.locator("main b, .masthead i").count() == 0
    assert opened.title() == "Run squares"


def test_the_page_says_what_the_scores_are(opened, written):
    page, _ = written
    scores = page.results.scores()
    shown = opened.locator(".figures dd").all_inner_texts()
    assert shown[0].startswith(f"{scores['dice']:.4f}")
    assert shown[1].startswith(f"{scores['iou']:.4f}")
    rows = opened.locator("#stages ~ div >> nth=0 >> tbody tr")
    assert "better than head" in rows.nth(1).inner_text()
    matrix = page.results.matrix
    cells = opened.locator(".matrix button")
    assert cells.count() == (matrix > 0).sum()
    found = re.search(r"([\d,]+) pixels of ground predicted as ground", opened.content())
    assert int(found[1].replace(",", "")) == matrix[0, 0]


def test_charts_are_drawn(opened):
    for name in ("scores", "losses", "calibration"):
        expect(opened.locator(f"#chart-{name} svg")).to_be_visible()


def test_images_are_sorted_and_filtered(opened, written):
    page, _ = written
    by_dice = [image.id for image in sorted(page.gallery, key=lambda image: image.scores["dice"])]
    assert captions(opened) == by_dice[:24]
    expect(opened.locator("#status")).to_have_text(f"{IMAGES} of {IMAGES} images")
    opened.select_option("#order", "-1")
    assert captions(opened)[:5] == by_dice[::-1][:5]
    opened.select_option("#sort", "class:1")
    assert captions(opened)[0] != by_dice[0] or len(set(captions(opened))) == 24
    opened.click("#more")
    assert len(captions(opened)) == IMAGES
    opened.select_option("#class", "2")
    with_class = {image.id for image in page.gallery if image.matrix[2].sum() > 0}
    assert set(captions(opened)) <= with_class


def test_a_cell_of_the_confusion_opens_the_images_that_cause_it(opened, written):
    page, _ = written
    opened.click('.matrix button[data-truth="1"][data-predicted="2"]')
    causes = sorted(
        ((int(image.matrix[1, 2]), image.id) for image in page.gallery if image.matrix[1, 2]),
        key=lambda each: -each[0],
    )
    pixels = opened.locator(".caption span:last-child").all_inner_texts()
    assert [int(text.split()[0].replace(",", "")) for text in pixels] == [n for n, _ in causes][:24]
    expect(opened.locator("#status")).to_contain_text("where <b>roof</b> is predicted as </script>")
    opened.click("#status button")
    assert len(captions(opened)) == 24


def test_no_cell_leads_to_an_empty_view(opened):
    for cell in opened.locator(".matrix button").all():
        cell.click()
        assert captions(opened)


def red_pixels(page):
    """How many pixels of the first image are marked as errors."""
    return page.evaluate(
        """() => {
          const canvas = document.querySelector(".card canvas");
          const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
          let count = 0;
          for (let i = 3; i < data.length; i += 4) count += data[i] > 0;
          return count;
        }"""
    )


def test_errors_are_the_pixels_that_the_matrix_counts_as_wrong(opened, written):
    first = written[0].gallery
    worst = min(first, key=lambda image: image.scores["dice"])
    wrong = int(worst.matrix.sum() - worst.matrix.diagonal().sum())
    opened.locator(".card").first.scroll_into_view_if_needed()
    opened.wait_for_function("document.querySelector('.card canvas')?.width === 64")
    assert red_pixels(opened) == wrong


def test_layers_and_opacity_change_what_lies_over_the_image(opened):
    opened.get_by_label("Truth").check(force=True)
    over = opened.locator(".card .view").first.locator("img").nth(1)
    assert over.get_attribute("src").startswith("data:image/png")
    opened.locator("#opacity").fill("20")
    assert over.evaluate("each => each.style.opacity") == "0.2"
    opened.get_by_label("Image", exact=True).check(force=True)
    expect(opened.locator(".card .view").first.locator("img")).to_have_count(1)


def test_images_are_drawn_when_they_come_near(opened):
    opened.click("#more")
    last = opened.locator(".card .view").last
    opened.evaluate("window.scrollTo(0, 0)")
    opened.get_by_label("Truth").check(force=True)
    opened.select_option("#order", "-1")
    opened.evaluate("window.scrollTo(0, 0)")
    assert opened.locator(".card .view:empty").count() > 0
    height = last.bounding_box()["height"]
    last.scroll_into_view_if_needed()
    expect(last.locator("img")).to_have_count(2)
    assert last.bounding_box()["height"] == pytest.approx(height, abs=1)
    opened.get_by_label("Errors").check(force=True)
    expect(last.locator("canvas")).to_have_count(1)


@pytest.mark.parametrize("width", [390, 1280])
def test_leakage_gives_a_second_score_that_is_explained(chromium, tmp_path, width):
    page = leaking_page(30, 10)
    (tmp_path / "report.html").write_text(page.html(), encoding="utf-8")
    found = Opened(chromium, tmp_path / "report.html", viewport={"width": width, "height": 900})
    left = page.results.whole[10:].sum(0)
    seconds = found.page.locator(".figures dd.left").all_inner_texts()
    assert [text[:6] for text in seconds[:3]] == [
        f"{float(score(left)):.4f}" for score in (macro_dice, mean_iou, pixel_accuracy)
    ]
    said = found.page.locator(".leakage").inner_text()
    assert "10 of 30 validation images show places that training images show too" in said
    assert "(flight0_0 = tflight0_0, overlap 50%, flight0_1 = tflight0_1, overlap 50%, ...)" in said
    # Three images are of a flight: of the fourth one leaks and two do not.
    assert "that of the 20 that do not leak. They are in 7 groups of 10" in said
    assert found.page.evaluate("document.documentElement.scrollWidth") <= width
    found.page.close()
    assert found.problems == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_images_that_leak_are_marked_and_can_be_left_out(chromium, tmp_path, scheme):
    page = leaking_page(30, 10)
    (tmp_path / "report.html").write_text(page.html(), encoding="utf-8")
    size = {"width": 390, "height": 900}
    found = Opened(chromium, tmp_path / "report.html", viewport=size, color_scheme=scheme)
    opened, leaking = found.page, set(page.leakage.places)
    opened.click("#more")
    for card in opened.locator(".card").all():
        name = card.locator(".caption span").first.inner_text()
        marks = card.locator(".seen").all_inner_texts()
        wanted = [f"seen in training: t{name}, overlap 50%"] if name in leaking else []
        assert marks == wanted
        label = card.locator("button").get_attribute("aria-label")
        assert ("seen in training" in label) == (name in leaking)
    opened.get_by_label("Leakage").select_option(label="seen in training")
    assert set(captions(opened)) == leaking
    expect(opened.locator("#status")).to_have_text("10 of 30 images")
    opened.locator(".card button").first.press("Enter")
    expect(opened.locator("#viewer-about")).to_contain_text("Seen in training: tflight")
    opened.keyboard.press("Escape")
    opened.get_by_label("Leakage").select_option(label="without leakage")
    assert not set(captions(opened)) & leaking
    assert len(captions(opened)) == 20
    assert opened.locator(".seen").count() == 0
    opened.locator(".matrix button").first.click()  # which opens all images with these pixels
    expect(opened.get_by_label("Leakage")).to_have_value("")
    assert opened.locator(".seen").count() > 0
    assert opened.evaluate("document.documentElement.scrollWidth") <= 390
    assert serious_faults(opened) == []
    opened.close()
    assert found.problems == []


def test_an_image_that_was_trained_on_is_called_so():
    names = run_page(6).results.images
    same = {names[2]: SeenPlace(names[2], 1.0, is_same=True)}
    shown = run_page(6, leakage=Leakage(names, same)).gallery
    assert [image.seen_in for image in shown] == ["", "", "the image itself", "", "", ""]


def test_where_all_images_leak_the_page_says_that_no_score_is_left():
    html = leaking_page(6, 6).html()
    assert "6 of 6 validation images show places that training images show too" in html
    assert "none is left for a score without leakage" in html
    assert 'class="left"' not in html


def test_where_nothing_leaks_nothing_is_said(opened):
    assert opened.locator(".leakage, .figures .left, .seen, #leakage").count() == 0
    assert "leakage" not in opened.locator("main").inner_text()


def test_the_keyboard_alone_opens_an_image_and_goes_on(opened, written):
    worst = [i.id for i in sorted(written[0].gallery, key=lambda image: image.scores["dice"])]
    opened.locator(".card button").first.focus()
    opened.keyboard.press("Enter")
    expect(opened.locator("#viewer-title")).to_have_text(worst[0])
    opened.keyboard.press("ArrowRight")
    expect(opened.locator("#viewer-title")).to_have_text(worst[1])
    opened.keyboard.press("Escape")
    expect(opened.locator("#viewer")).not_to_be_visible()
    cell = opened.locator(".matrix button").nth(1)
    cell.focus()
    opened.keyboard.press("Enter")
    expect(opened.locator("#status")).to_contain_text("is predicted as")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_and_axe_finds_no_serious_fault(chromium, written, scheme, width, tmp_path):
    size = {"width": width, "height": 900}
    found = Opened(chromium, written[1], viewport=size, color_scheme=scheme)
    page = found.page
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    faults = serious_faults(page)
    page.screenshot(path=tmp_path / f"report_{scheme}_{width}.png", full_page=True)
    page.close()
    assert faults == []
    assert found.problems == []
