"""The page of a comparison in a real browser."""

import pytest
from playwright.sync_api import expect

from helpers.browser import Opened, captions, serious_faults
from helpers.compare_pages import compare_page, compared_masks

IMAGES = 30


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "compare.html"
    page = compare_page(IMAGES)
    path.write_text(page.html(), encoding="utf-8")
    return page, path


def test_names_are_text_and_never_markup(opened):
    assert opened.title() == "<b>one</b>/full and two/full"
    assert opened.locator("main b, .masthead b").count() == 0


def test_rows_are_the_numbers_of_the_comparison(opened, written):
    found = written[0].comparison
    rows = opened.locator("#scores ~ div >> nth=0 >> tbody tr").all()
    for row, score in zip(rows, found.scores, strict=True):
        cells = row.locator("td").all_inner_texts()
        assert cells[:2] == [f"{score.a:.4f}", f"{score.b:.4f}"]
        low, high = score.interval.low, score.interval.high
        assert cells[2].split("\n") == [f"{score.difference:+.4f}", f"{low:+.4f} to {high:+.4f}"]
        assert cells[3] == score.verdict
    assert found.scores[0].verdict == "b is better"
    water = opened.locator("#classes ~ div >> nth=0 >> tbody tr").nth(3)
    assert water.locator("td").all_inner_texts()[:4] == ["absent", "absent", "", "absent"]
    expect(opened.locator(".notes li")).to_have_text("left out: 3 images that a was trained on")
    assert opened.locator(".settings >> nth=0 >> tbody tr").all_inner_texts() == ["seed\t0\t1"]


def test_a_chart_is_drawn_for_each_curve_that_was_logged(opened):
    for name in ("val_dice", "val_loss"):
        chart = opened.locator(f"#chart-{name} svg")
        expect(chart).to_be_visible()
        ticks = chart.locator(".role-axis-label text").all_text_contents()
        assert [text for text in ticks if text in "123"] == ["1", "2", "3"]
    assert opened.locator(".chart").count() == 2


def test_images_on_which_they_differ_most_come_first(opened, written):
    found = written[0].comparison
    # The page has four digits, and puts equal ones in the order of their ids.
    ranked = sorted(found.images, key=lambda image: (-round(image.apart, 4), image.id))
    assert captions(opened) == [image.id for image in ranked][:24]
    first = opened.locator(".caption span:last-child").first.inner_text()
    dice = found.images[found.most_different[0]].dice
    assert first == f"a {dice[0]:.3f} · b {dice[1]:.3f}"
    opened.select_option("#sort", "gain")
    opened.select_option("#order", "1")
    expect(opened.locator("#more")).to_be_visible()
    opened.click("#more")
    expect(opened.locator("#more")).not_to_be_visible()
    gains = sorted(found.images, key=lambda image: image.dice[1] - image.dice[0])
    assert captions(opened)[0] == gains[0].id


def test_the_layer_marks_the_pixels_on_which_one_alone_is_right(opened, written):
    found = written[0].comparison
    row = found.most_different[0]
    _, truth, first, second = list(compared_masks(IMAGES))[row]
    a, b = first == truth, second == truth
    labelled = truth != 255
    opened.locator(".card").first.scroll_into_view_if_needed()  # only near the screen it is drawn
    opened.wait_for_function("document.querySelector('.card canvas')?.width === 64")
    opened.wait_for_timeout(200)
    blue, orange = opened.evaluate(
        """() => {
          const canvas = document.querySelector(".card canvas");
          const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
          const counts = [0, 0];
          for (let i = 0; i < data.length; i += 4) {
            if (data[i + 3]) counts[data[i] === 42 ? 0 : 1] += 1;
          }
          return counts;
        }"""
    )
    assert blue == (a & ~b & labelled).sum()
    assert orange == (b & ~a & labelled).sum()


def test_an_image_is_enlarged_with_the_scores_of_both(opened, written):
    opened.locator(".card button").first.click()
    found = written[0].comparison
    image = found.images[found.most_different[0]]
    text = opened.locator("#viewer-about").inner_text()
    assert text == (
        f"only one is right {image.apart:.3f} · Dice of a {image.dice[0]:.3f} · Dice of b "
        f"{image.dice[1]:.3f} · b - a {image.dice[1] - image.dice[0]:.3f}."
    )


def test_few_groups_are_said(chromium, tmp_path):
    path = tmp_path / "compare.html"
    path.write_text(compare_page(8, groups=4).html(), encoding="utf-8")
    found = Opened(chromium, path)
    assert "There are no intervals: 4 groups" in found.page.locator("main").inner_text()
    assert found.page.locator("td small").count() == 0
    found.page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_and_axe_finds_no_serious_fault(chromium, written, scheme, width):
    size = {"width": width, "height": 900}
    found = Opened(chromium, written[1], viewport=size, color_scheme=scheme)
    page = found.page
    for summary in page.locator("summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    faults = serious_faults(page)
    page.close()
    assert faults == []
    assert found.problems == []
