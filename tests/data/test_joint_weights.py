"""The share of each data set in an epoch, counted in what is served."""

import numpy as np
import pytest

from aerialseg.errors import ConfigError
from aerialseg.losses.class_weights import chosen_weights
from helpers.joint_sets import make_parts, together


@pytest.fixture
def parts(tmp_path):
    return make_parts(tmp_path)


@pytest.fixture
def weighted(parts):
    """Two samples of the north and one of the south to train on, in epochs of one and two."""
    return together(parts(), weights={"north": 1, "south": 2}, batch_size=2)


def shown_pixels(data, epochs):
    """Pixels of each class in all masks that a number of epochs serves, counted one by one."""
    loader = data.train_dataloader()
    counts = np.zeros(len(data.classes), dtype=np.int64)
    for epoch in range(epochs):
        loader.batch_sampler.sampler.set_epoch(epoch)
        for batch in loader:
            counts += [(batch["mask"].numpy() == i).sum() for i in range(len(counts))]
    return counts


def test_weights_show_each_set_in_its_share_of_an_epoch(weighted):
    loader = weighted.train_dataloader()
    served = [each for batch in loader for each in batch["id"]]

    assert weighted.shown_in_epoch == {"north": 1, "south": 2}
    assert sorted(each[:5] for each in served) == ["north", "south", "south"]


@pytest.mark.parametrize("weights", [None, {"north": 1, "south": 2}, {"north": 5, "south": 1}])
@pytest.mark.parametrize("edge", [None, 4])
def test_pixels_in_training_are_those_of_the_masks_that_are_served(parts, weights, edge):
    data = together(parts(), weights=weights, image_min_size=edge, batch_size=2)
    # Two epochs are whole passes through both sets.
    assert (2 * data.counts_in_training().sum(axis=0)).tolist() == shown_pixels(data, 2).tolist()


def test_class_weights_follow_the_weights_of_sets(parts, weighted):
    names = weighted.classes.names
    found = chosen_weights(weighted.counts_in_training(), "inverse_frequency", names)
    pixels = shown_pixels(weighted, 2)

    assert found == pytest.approx(pixels.sum() / (3 * pixels))
    plain = chosen_weights(together(parts()).counts_in_training(), "inverse_frequency", names)
    assert found.tolist() != plain.tolist()


def test_a_few_samples_are_shown_without_weights(weighted):
    few = weighted.reduced(1)

    assert sum(len(batch["id"]) for batch in few.train_dataloader()) == 2


def test_weights_need_not_be_whole_and_must_name_the_sets(parts):
    with pytest.raises(ConfigError) as error:
        together(parts(), weights={"north": 0.5, "soth": 1.5})

    assert error.value.problems[0] == (
        "data.weights: there is no data set 'soth'; did you mean 'south'?"
    )
