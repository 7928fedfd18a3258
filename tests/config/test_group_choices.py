"""A choice of a group that there is not."""

import pytest

from helpers.composing import lines

GROUPS = {
    "stage=asp": ["stage: there is no 'asp'; did you mean 'aspp'?"],
    "stage=": ["stage: there is no ''; known: aspp, decoder, full, half_backbone, head"],
    "stage=null": ["stage: there is no null; known: aspp, decoder, full, half_backbone, head"],
    "-m stage=head,asp,ful": [
        "stage: there is no 'asp'; did you mean 'aspp'?",
        "stage: there is no 'ful'; did you mean 'full'?",
    ],
    "loss=dic optimizer=sdg data/classes=dubay +loss=dce": [
        "loss: there is no 'dic'; did you mean 'dice'?",
        "optimizer: there is no 'sdg'; did you mean 'sgd'?",
        "data/classes: there is no 'dubay'; did you mean 'dubai'?",
        "loss: there is no 'dce'; did you mean 'dice'?",
    ],
    "run_name=???": ["run_name: must be set"],
}


@pytest.mark.parametrize(("command", "wanted"), GROUPS.items())
def test_a_choice_that_is_not_there_is_found_before_composing(command, wanted):
    assert lines(*command.split()) == [f"config error: {line}" for line in wanted]
