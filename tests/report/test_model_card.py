"""The model card, read by a Markdown parser."""

import re

import pytest
import yaml
from markdown_it import MarkdownIt

from aerialseg.metrics.scores import dice_per_class, iou_per_class, macro_dice, mean_iou
from aerialseg.report.model_card import ModelCard, as_cell
from aerialseg.storage.checkpoints import Description
from aerialseg.viz.theme import DASH
from helpers.run_pages import leaking_page, run_page

DESCRIPTION = Description(
    network={"_target_": "aerialseg.models.networks.unet", "num_classes": 4},
    classes={},
    mean=[0.5, 0.5, 0.5],
    std=[0.2, 0.2, 0.2],
    image_min_size=48,
    stage="full",
    run_name="squares",
    parent={"path": "head/best.ckpt", "sha256": "00"},
    trained_images={"a": ["one"], "b": ["two", "copy of two"]},
    validated_images={"c": ["three"]},
    original_min_size=96,
)


def card_of(page, start):
    return ModelCard(page, DESCRIPTION, "data/squares", start).markdown()


def tables(text):
    """The rows of each table, as a reader sees their cells."""
    found = []
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type == "inline" and token.level == 4:  # of a cell
            assert {"text", "text_special"} >= {part.type for part in token.children}, token.content
            found[-1][-1].append("".join(part.content for part in token.children))
    return found


@pytest.fixture(scope="module")
def page():
    return run_page(30)


@pytest.fixture(scope="module")
def card(page):
    return card_of(page, {"path": "weights/a.pth", "sha256": "15ac"})


def test_of_leaking_images_the_card_has_both_scores(card):
    page = leaking_page(30, 10)
    text = card_of(page, {"weights": "none"})
    left = page.results.whole[10:].sum(0)
    rows = {name: value for name, value, _ in tables(text)[0][1:]}
    assert rows["Dice"] == f"{float(macro_dice(page.results.whole.sum(0))):.4f}"
    assert rows["Dice without leakage"] == f"{float(macro_dice(left)):.4f}"
    assert rows["mIoU without leakage"] == f"{float(mean_iou(left)):.4f}"
    assert "10 of 30 validation images show places that training images show too" in text
    assert "leakage" not in card


def test_scores_are_those_of_the_page(page, card):
    scores, worst_classes, worst_images, by_class, stages = tables(card)
    results = page.results
    assert scores[1][:2] == ["Dice", f"{results.scores()['dice']:.4f}"]
    interval = results.intervals()["iou"]
    assert scores[2][2] == f"{interval.low:.3f} to {interval.high:.3f}"
    total = results.whole.sum(0)
    iou, dice = iou_per_class(total), dice_per_class(total)
    assert by_class[2][0] == "<b>roof</b>"
    assert by_class[2][3] == f"{iou[1]:.4f}"
    assert by_class[2][5] == f"{dice[1]:.4f}"
    assert by_class[4][3] == DASH, "water is neither there nor predicted"
    assert [row[0] for row in stages] == ["stage", "head", "full"]
    assert stages[2][6] == "better than head"
    lowest = sorted(page.gallery, key=lambda image: image.scores["dice"])[:5]
    assert [row[0] for row in worst_images[1:]] == [image.id for image in lowest]
    assert [row[1] for row in worst_classes[1:]] == [f"{x:.4f}" for x in sorted(iou[:3].tolist())]


def test_a_class_is_mistaken_for_the_one_that_most_of_its_pixels_are_taken_for(page, card):
    matrix = page.results.whole.sum(0)
    wrong = matrix[0].clone()
    wrong[0] = 0
    expected = page.classes.names[int(wrong.argmax())]
    (row,) = (row for row in tables(card)[1] if row[0] == "ground")
    assert row[3] == f"{expected} ({wrong.max() / matrix[0].sum():.0%} of its pixels)"


def test_the_header_is_what_model_hubs_read(card):
    header = yaml.safe_load(card.split("---")[1])
    assert header["pipeline_tag"] == "image-segmentation"
    assert header["license"] == "other"


def test_what_only_people_know_is_left_to_them(card):
    assert card.count("*to fill in*") == 5


def test_the_card_says_what_it_was_trained_on(card):
    assert "data/squares; 3 images to train on, 1 image to validate on" in card
    assert "about 96 pixels on their smaller edge; they are scaled to 48 pixels" in card


@pytest.mark.parametrize(
    ("start", "said"),
    [
        ({"path": "weights/a.pth", "sha256": "15ac"}, "weights/a.pth, sha256 15ac"),
        ({"weights": "imagenet"}, "the published weights imagenet"),
        ({"weights": "none"}, "random weights"),
        ({}, "not recorded"),
    ],
)
def test_it_says_what_training_started_from(page, start, said):
    assert f"- Started from: {said}\n" in card_of(page, start)


def test_few_groups_have_no_interval():
    card = card_of(run_page(6), {})
    assert "Intervals need 5 groups of images." in card
    assert not re.search(r"0\.\d+ to 0\.\d+", card)


@pytest.mark.parametrize(
    "name", ["a|b", "_a_", "*a*", "[a](b)", "`a`", "<b>a</b>", "a\\|b", "a_b", "&amp;", "# a"]
)
def test_names_are_text_and_never_markup(name):
    (rows,) = tables(f"| name |\n| --- |\n| {as_cell(name)} |\n")
    assert rows[1] == [name]


def test_a_line_break_stays_within_its_cell():
    assert as_cell("a\n| b") == "a \\| b"
