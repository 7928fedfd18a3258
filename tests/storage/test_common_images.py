"""Which images two networks may both be scored on, by hand."""

from aerialseg.storage.common_images import common_images
from aerialseg.storage.seen_images import SeenImages


def seen(trained="", validated=""):
    """What a network has seen: a letter is an image."""
    return SeenImages({each: [each] for each in trained}, {each: [each] for each in validated})


def common(a, b, *, in_a="abcdefgh", in_b="abcdefgh"):
    return common_images(a, b, in_a=in_a, in_b=in_b)


def test_one_split_leaves_nothing_out_and_needs_no_words():
    found = common(seen("abcd", "efg"), seen("abcd", "efg"))
    assert found.scored == ("e", "f", "g")
    assert found.are_same
    assert found.in_words() == []


def test_what_either_was_trained_on_is_left_out_and_counted():
    found = common(seen("abcd", "efgh"), seen("efab", "cdgh"))
    assert found.scored == ("g", "h")
    assert found.trained == (2, 2)
    assert found.in_words() == [
        "a and b validated on different images: a on 4, b on 4, of which 2 are the same",
        "left out: 2 images that a was trained on",
        "left out: 2 images that b was trained on",
    ]


def test_an_image_that_one_alone_validated_on_is_scored_with_a_line():
    found = common(seen("ab", "cd"), seen("ab", "c"))
    assert found.scored == ("c", "d")
    assert found.chosen_on == (1, 0)
    assert found.in_words()[-1] == (
        "1 image only a validated on: its best epoch was chosen by them, which favours a a little"
    )


def test_what_is_not_in_the_data_of_both_is_counted():
    found = common(seen("a", "bcd"), seen("a", "bcd"), in_a="abc", in_b="abd")
    assert found.scored == ("b",)
    assert found.missing == 2
    assert found.in_words() == [
        "left out: 2 images not in the data of both, or without a mask there"
    ]


def test_a_file_that_lies_on_both_sides_of_a_split_was_trained_on():
    assert common(seen("ab", "bc"), seen("ad", "bc")).scored == ("c",)


def test_no_common_image_is_none_and_says_why():
    found = common(seen("ab", "cd"), seen("cd", "ab"))
    assert found.scored == ()
    assert found.in_words()[0].endswith("of which none are the same")
