"""The order of the stages, derived from `previous`."""

import pytest

from aerialseg.config.chain import stage_order
from aerialseg.errors import ConfigError


def test_each_stage_comes_after_the_one_it_starts_from():
    previous = {"full": "aspp", "aspp": "head", "head": None}
    assert stage_order(previous) == ["head", "aspp", "full"]


@pytest.mark.parametrize(
    ("previous", "message"),
    [
        ({"head": None, "a": "head", "b": "head"}, "stage: a and b start from stage head"),
        ({"head": None, "other": None}, "stage: head and other start from no other stage"),
        ({"head": None, "a": "b", "b": "a"}, "stage: a, b cannot be reached from the first stage"),
        ({"a": "head"}, "stage: a cannot be reached from the first stage"),
    ],
)
def test_stages_that_do_not_form_a_chain_are_named(previous, message):
    with pytest.raises(ConfigError, match=message):
        stage_order(previous)
