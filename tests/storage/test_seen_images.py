from aerialseg.storage.seen_images import SeenImages, as_lists, rows_of, seen_by_any


def test_what_was_trained_on_adds_up_and_what_was_validated_on_is_the_last_stages():
    first = SeenImages().followed_by(trained={"1": ["a"], "2": ["b"]}, validated={"3": ["c"]})
    second = first.followed_by(trained={"2": ["b", "copy"], "4": ["d"]}, validated={"5": ["e"]})
    assert as_lists(first.trained) == {"1": ["a"], "2": ["b"]}
    assert as_lists(second.trained) == {"1": ["a"], "2": ["b", "copy"], "4": ["d"]}
    assert as_lists(second.validated) == {"5": ["e"]}


def test_images_are_recognised_under_any_name():
    seen = SeenImages({"1": ["a"], "2": ["b"]}, {"3": ["c"]})
    assert seen.trained_among({"3": ["a"], "4": ["b"]}) == []
    assert seen.trained_among({"2": ["x", "w"], "3": ["c"], "1": ["z"]}) == ["w", "x", "z"]


def test_a_file_that_lies_on_both_sides_of_the_same_split_is_no_reason_to_refuse_it():
    seen = SeenImages({"1": ["a"], "2": ["b"]}, {"2": ["copy of b"]})
    assert seen.trained_among({"2": ["copy of b"]}) == []


def test_plain_data_do_not_depend_on_the_order_of_the_images():
    assert list(as_lists({"b": ("2", "1"), "a": ["3"]}).items()) == [
        ("a", ["3"]),
        ("b", ["1", "2"]),
    ]


def test_rows_are_found_by_content():
    images = [("renamed", "1"), ("new", "9"), ("b", "2")]
    assert rows_of(images, {"1": ["a"], "2": ["b"], "3": ["c"]}) == [0, 2]


def test_of_files_of_one_content_those_with_the_old_names_are_meant():
    images = [("in train", "1"), ("a", "1"), ("b", "1"), ("x", "2"), ("y", "2")]
    assert rows_of(images, {"1": ["a", "b"], "2": ["gone"]}) == [1, 2, 3, 4]


def test_an_ensemble_was_trained_on_what_any_of_it_was_trained_on():
    one = SeenImages({"1": ["a"], "2": ["b"]}, {"3": ["c"]})
    two = SeenImages({"2": ["copy of b"], "3": ["c"]}, {"4": ["d"], "1": ["a"]})
    both = seen_by_any([one, two])
    assert as_lists(both.trained) == {"1": ["a"], "2": ["b", "copy of b"], "3": ["c"]}
    assert as_lists(both.validated) == {"4": ["d"]}
