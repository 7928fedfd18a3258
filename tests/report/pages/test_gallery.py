"""What a gallery shows, and how large."""

import torch

from aerialseg.report.pages.gallery import MOST_IMAGES, shown_images, shown_size
from helpers.run_pages import CLASSES, run_page


def test_all_of_few_images_are_shown_worst_first():
    matrices = torch.stack([torch.tensor([[9, 1], [0, 5]]), torch.tensor([[1, 9], [3, 0]])])
    assert shown_images(matrices) == [1, 0]


def test_each_confusion_keeps_the_image_with_most_of_it():
    good = torch.diag(torch.tensor([50, 50, 50]))
    matrices = good.repeat(20, 1, 1)
    matrices[4, 0, 1] = 9  # the only image in which class 0 is taken for class 1
    matrices[7:, 2, 0] = 30
    matrices[11, 2, 0] = 31
    shown = shown_images(matrices, most=6)
    assert len(shown) == 6
    assert {4, 11} <= set(shown)


def test_an_image_without_labels_comes_last():
    matrices = torch.stack([torch.zeros(2, 2, dtype=torch.int64), torch.eye(2, dtype=torch.int64)])
    assert shown_images(matrices) == [1, 0]


def test_images_shrink_as_they_become_more_but_never_grow():
    few, many = shown_size((720, 1280), 10), shown_size((720, 1280), MOST_IMAGES)
    assert few == (360, 640)
    assert 224 <= many[1] < 400
    assert shown_size((48, 64), 10) == (48, 64)


def test_the_script_reads_scores_and_confusions_by_class_id():
    image = run_page(images=6).gallery[0]
    found = image.to_mapping()
    assert found["width"], found["height"] == image.size[::-1]
    assert all(image.matrix[t, p] == pixels for t, p, pixels in found["confused"])
    assert sum(pixels for *_, pixels in found["confused"]) == image.matrix.sum()
    assert set(found["present"]) <= set(range(len(CLASSES)))
    assert "3" not in found["classes"]  # water is nowhere
