"""The page of an inspection in a real browser, beside the files that it is written with."""

import csv
import json
import re
from contextlib import suppress

import pytest
from playwright.sync_api import expect

from aerialseg.errors import DataError
from aerialseg.report.pages.augmented_samples import SAMPLES, VERSIONS
from aerialseg.tasks.inspect import inspect
from helpers.browser import Opened, serious_faults
from helpers.composing import experiment
from helpers.faulty_survey import write_faulty, write_sound

SETTINGS = ("task=inspect", "stage=full", "data.image_min_size=64", "data.num_workers=0")
SPLIT = ("data=folders", "data.val_fraction=0.3")


def inspected(folder, *arguments):
    """The folder of an inspection, with faults or not."""
    out = folder / "out"
    paths = (f"paths.output_dir={out}", f"paths.cache_dir={folder / 'cache'}")
    with suppress(DataError):  # where there are errors
        inspect(experiment(*SETTINGS, *arguments, *paths))
    return out


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faulty")
    return inspected(folder, *SPLIT, f"data.root={write_faulty(folder / 'd')}")


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sound")
    return inspected(folder, *SPLIT, f"data.root={write_sound(folder / 'd')}")


@pytest.fixture
def opened(chromium):
    """Opens the page of a folder; nothing may go wrong in it."""
    pages = []

    def open_page(folder, **options):
        pages.append(Opened(chromium, folder / "inspection.html", **options))
        return pages[-1].page

    yield open_page
    for each in pages:
        each.page.close()
        assert each.problems == []


def content(folder):
    return json.loads((folder / "findings.json").read_text("utf-8"))


def rows(folder):
    with (folder / "images.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def figures(page):
    names = page.locator(".figures dt").all_inner_texts()
    values = page.locator(".figures dd").all_inner_texts()
    return {n: int(v.split()[0]) for n, v in zip(names, values, strict=True)}


def numbers(row):
    """The whole numbers of a row of a table."""
    texts = row.locator("td").all_inner_texts()
    return [int(t.replace(",", "")) for t in texts if re.fullmatch(r"[\d,]+", t)]


def test_the_headline_counts_as_the_files_do(opened, faulty, sound):
    for folder, images, verdict in ((faulty, 16, "Not yet"), (sound, 7, "Yes: nothing")):
        page, found = opened(folder), content(folder)
        counts = {f"{key}s": number for key, number in found["counts"].items()}
        classes = len(found["splits"]["train"]["class_pixels"])
        expected = {"images": images, "classes": classes, **counts}
        assert figures(page) == expected
        assert len(rows(folder)) == images
        expect(page.locator(".verdict")).to_contain_text(verdict)


def test_each_finding_is_there_in_order_with_text_and_next_step(opened, faulty):
    page, findings = opened(faulty), content(faulty)["findings"]
    cards = page.locator(".finding")
    assert cards.count() == len(findings) > 8
    for card, finding in zip(cards.all(), findings, strict=True):
        assert card.get_attribute("data-code") == finding["code"]
        assert finding["severity"] in card.get_attribute("class").split()
        assert card.locator(".message").text_content() == finding["message"]
        steps = card.locator(".step").all_text_contents()
        wanted = [f"What to do: {finding['next_step']}"] if finding["next_step"] else []
        assert steps == wanted
    names = page.locator("[data-code=copy] figcaption a").all_inner_texts()
    assert {"again", "flight0_0"} <= set(names)


def test_places_on_both_sides_are_shown_side_by_side_with_their_splits(opened, faulty):
    page, found = opened(faulty), content(faulty)
    (leak,) = [each for each in found["findings"] if each["code"] == "leakage"]
    overlaps = {frozenset((o["first"], o["second"])): o for o in found["overlaps"]}
    split = {row["image"]: row["split"] for row in rows(faulty)}
    pairs = page.locator("[data-code=leakage] .pair")
    assert {val for val, _ in leak["pairs"]} == set(leak["files"])
    assert pairs.count() == len(leak["pairs"])
    for shown, pair in zip(pairs.all(), leak["pairs"], strict=True):
        assert shown.locator("figcaption a").all_inner_texts() == pair
        assert shown.locator(".tag").all_inner_texts() == [split[key] for key in pair]
        assert [split[key] for key in pair] == ["val", "train"]
        assert shown.locator("img").count() == 2
        share = overlaps[frozenset(pair)]["share"]
        assert shown.locator("p").inner_text() == f"overlap {share:.0%}"


def test_a_file_that_cannot_be_read_is_said_in_its_place(opened, faulty):
    page = opened(faulty)
    broken = page.locator("[data-code=unreadable_image] .named")
    expect(broken.locator(".unreadable")).to_contain_text("unreadable")
    assert "cut short" in broken.locator(".unreadable").get_attribute("title")
    assert broken.locator("img").count() == 0
    alien = page.locator("[data-code=ids_out_of_range] .named")
    assert alien.locator("img").count() == 2
    expect(alien).to_contain_text("beside it: mask as it is stored")


def test_classes_and_splits_have_the_pixels_of_the_files(opened, faulty):
    page, splits = opened(faulty), content(faulty)["splits"]
    table = rows(faulty)
    for row, name in zip(page.locator(".splits tbody tr").all(), splits, strict=True):
        facts = splits[name]
        labelled = sum(facts["class_pixels"].values())
        assert numbers(row) == [facts["images"], facts["without_mask"], labelled]
    names = list(splits["train"]["class_pixels"])
    shown = page.locator("table.classes tbody tr")
    assert [row.locator("th").inner_text() for row in shown.all()] == names
    for row, name in zip(shown.all(), names, strict=True):
        expected = []
        for split in ("train", "val"):
            own = [int(r[f"pixels {name}"]) for r in table if r["split"] == split]
            expected += [sum(own), sum(pixels > 0 for pixels in own)]
        assert numbers(row) == expected
    assert page.locator("main b").filter(has_text="roof").count() == 0


def test_small_tables_count_every_image(opened, faulty):
    page, table = opened(faulty), rows(faulty)
    cells = page.locator("table[data-fact=format] tbody tr").all()
    found = {row.locator("th").inner_text(): numbers(row)[0] for row in cells}
    formats = [row["format"] or "cannot be read" for row in table]
    assert found == {each: formats.count(each) for each in set(formats)}


def test_histograms_hold_every_measured_image(opened, faulty):
    page, table = opened(faulty), rows(faulty)
    specs = json.loads(page.locator("#data-charts").text_content())
    for name, column in (("brightness", "brightness"), ("ignored", "ignored_share")):
        (data,) = specs[name]["datasets"].values()
        known = [float(row[column]) for row in table if row[column]]
        assert sum(bar["images"] for bar in data) == len(known)
        for bar in data:
            inside = [v for v in known if bar["low"] <= v < bar["high"] or v == bar["high"] == 1]
            assert 0 < bar["images"] <= len(inside)
        expect(page.locator(f"#chart-{name} svg")).to_be_visible()


def test_training_images_are_shown_as_stored_and_augmented(opened, faulty, sound):
    for folder in (faulty, sound):
        page = opened(folder)
        names = page.locator(".sample h3").all_inner_texts()
        split = {row["image"]: row for row in rows(folder)}
        usable = [k for k, r in split.items() if r["split"] == "train" and r["is_sound"] == "true"]
        assert len(names) == min(SAMPLES, len(usable))
        assert set(names) <= set(usable)
        first = page.locator(".sample").first
        assert first.locator("figure").count() == 1 + VERSIONS
        assert first.locator("img").count() == 2 * (1 + VERSIONS)
        sources = first.locator("img").evaluate_all("all => all.map(each => each.src)")
        assert len(set(sources)) == len(sources)


def test_a_page_is_the_same_when_it_is_made_again(opened, sound, tmp_path):
    once = opened(sound).locator(".sample img").evaluate_all("all => all.map(each => each.src)")
    root = sound.parent / "d"
    out = inspected(tmp_path, *SPLIT, f"data.root={root}")
    again = opened(out).locator(".sample img").evaluate_all("all => all.map(each => each.src)")
    assert once == again


def test_data_without_a_fault_say_so(opened, sound):
    page = opened(sound)
    assert content(sound)["findings"] == []
    expect(page.locator(".nothing")).to_have_text("Nothing is wrong with these data.")
    assert page.locator(".finding").count() == 0


def test_several_data_sets_are_shown_with_their_names(opened, tmp_path):
    north, south = write_faulty(tmp_path / "n"), write_sound(tmp_path / "s")
    sets = ("data=joint", "data.sets={north: folders, south: folders}", "data.classes=union")
    roots = (f"data.parts.north.root={north}", f"data.parts.south.root={south}")
    out = inspected(tmp_path, *sets, *roots)
    page, found = opened(out), content(out)
    assert figures(page)["images"] == len(rows(out)) == 23
    assert figures(page)["errors"] == found["counts"]["error"]
    names = page.locator("figcaption a").all_inner_texts()
    assert names
    assert all(name.startswith(("north/", "south/")) for name in names)
    assert page.locator("[data-code=leakage] .pair img").count() >= 2
    assert page.locator(".sample img").count() > 0


def test_data_that_cannot_be_split_have_a_page_without_training_images(opened, tmp_path):
    root = write_faulty(tmp_path / "d")
    whole = ("data=folders", "data.group_pattern=^(.)", f"data.root={root}")
    for path in [*root.glob("images/*"), *root.glob("masks/*")]:
        if not path.name.startswith("flight"):
            path.unlink()
    page = opened(inspected(tmp_path, *whole))
    expect(page.locator("[data-code=no_split]")).to_be_visible()
    expect(page.locator("#samples ~ p")).to_contain_text("No training image can be shown")


def test_without_the_page_there_are_only_tables(tmp_path):
    root, out = write_sound(tmp_path / "d"), tmp_path / "out"
    paths = (f"paths.output_dir={out}", f"paths.cache_dir={tmp_path / 'cache'}")
    inspect(experiment(*SETTINGS, *SPLIT, f"data.root={root}", *paths), page=False)
    assert sorted(path.name for path in out.iterdir()) == ["findings.json", "images.csv"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_and_axe_finds_no_serious_fault(opened, faulty, scheme, width):
    page = opened(faulty, viewport={"width": width, "height": 900}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    faults = serious_faults(page)
    assert faults == []
    shown = page.locator("img").evaluate_all("all => all.filter(each => !each.naturalWidth)")
    assert shown == []


def test_the_keyboard_reaches_every_link_and_every_image_has_a_text(opened, faulty):
    page = opened(faulty)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    texts = page.locator("img").evaluate_all("all => all.map(each => each.alt)")
    assert len(texts) > 20
    assert all(texts)
    for link in page.locator("main a").all():
        target = link.get_attribute("href")
        assert target.startswith("#") or (faulty / target).is_file()


def test_data_of_which_nothing_can_be_read_still_have_a_page(opened, tmp_path):
    root = write_sound(tmp_path / "d")
    for path in root.glob("images/*"):
        path.write_bytes(path.read_bytes()[:200])
    page = opened(inspected(tmp_path, *SPLIT, f"data.root={root}"))
    assert page.locator("[data-code=unreadable_image] .unreadable").count() == 7
    assert page.locator("svg").count() == 0
    expect(page.locator("table[data-fact=format]")).to_contain_text("cannot be read")
