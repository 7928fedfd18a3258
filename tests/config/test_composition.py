"""Overrides that do not fit the config: one line each, before Hydra composes it."""

import re

import pytest
from hydra import compose, initialize_config_dir
from hydra.errors import ConfigCompositionException

from aerialseg.config.composition import refusal
from aerialseg.config.overrides import prepare_overrides
from aerialseg.config.sweeps import check_jobs
from aerialseg.errors import ConfigError
from helpers.composing import CONF, lines

WRITTEN = {"list": "[1]", "mapping": "{a: 1}", "number": "5", "text": "abc", "null": "null"}
MAPPING, NODE, LIST, NUMBER, GROUP = (
    *("model.fine_tune_start", "data.layout", "augmentation.transforms"),
    *("seed", "model"),
)
FITS = {(MAPPING, "mapping"), (NUMBER, "number")}
"""What may be typed; the rest is one line."""
SAID = {
    (MAPPING, "list"): "[1] is not a mapping; one value of it is set as in {key}.head=VALUE",
    (MAPPING, "number"): "5 is not a mapping",
    (MAPPING, "null"): "null is not a mapping",
    (NODE, "list"): (
        "[1] is not a mapping with a _target_; one value of it is set as in {key}.count=VALUE"
    ),
    (NODE, "null"): "null is not a mapping with a _target_",
    (LIST, "mapping"): "a mapping is not a list; write '{key}=[A,B]'",
    (LIST, "number"): "5 is not a list",
    (NUMBER, "list"): "[1] is not a whole number",
    (NUMBER, "mapping"): "a mapping is not a whole number",
    (GROUP, "mapping"): (
        "a mapping is not a choice; known: deeplabv3_mobilenet_v3_large, deeplabv3_resnet50, "
        "lraspp_mobilenet_v3_large, unet_resnet18; a value in it is set as in {key}.a=VALUE"
    ),
}


@pytest.mark.parametrize("kind", WRITTEN)
@pytest.mark.parametrize("key", [MAPPING, NODE, LIST, NUMBER, GROUP])
def test_a_value_of_another_kind_is_one_line(key, kind):
    found = lines("task=check", "augmentation=none", f"{key}={WRITTEN[kind]}")
    if (key, kind) in FITS:
        assert found == []
        return
    (line,) = found
    assert line.startswith(f"config error: {key}")
    assert SAID.get((key, kind), "").format(key=key) in line


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (
            ["augmentation=none", "augmentation.transforms.p=0.5"],
            "augmentation.transforms.p: there is no 'p': augmentation.transforms is an empty list; "
            "write 'augmentation.transforms=[A,B]'",
        ),
        (
            ["augmentation.transforms.0.p=0.5"],
            "augmentation.transforms.0.p: augmentation.transforms is "
            "${transforms_of:${oc.select:recipe.augmentation.${stage.name},none}}; set all of it, "
            "or choose one, as in augmentation=drone",
        ),
        (
            ["augmentation=drone", "augmentation.transforms.4.p=0.5"],
            "augmentation.transforms.4.p: there is no '4': augmentation.transforms is a list, "
            "whose items are augmentation.transforms.0 to augmentation.transforms.3",
        ),
        (
            ["~callbacks.sample"],
            "callbacks.sample: is not there, so it cannot be left out; did you mean 'samples'?",
        ),
        (["~seed=3"], "seed: is 0, not 3; write ~seed"),
        (["+seed=3"], "seed: is there already; write seed=3"),
        (["+stage=head"], "stage: is there already; write stage=head"),
        (["+experiment=demo"], "experiment: is there already; write experiment=demo"),
        (["+experiment=null"], "experiment: is there already; write experiment=null"),
        (
            ["experiment=demo", "+experiment=dubai"],
            "experiment: is there already; write experiment=dubai",
        ),
        (
            ["++experiment=demo"],
            "experiment: ++ is for values, and this is a group; write experiment=demo",
        ),
        (["~data=folders"], "data: Could not delete 'data=folders'. No match in the defaults list"),
        (
            ["hydra.run=[1]"],
            "hydra.run: [1] is not a mapping; one value of it is set as in hydra.run.dir=VALUE",
        ),
        (["hydra.run.dir=[1]"], "hydra.run.dir: Cannot convert 'list' to string: '[1]'"),
        (["hydra.searchpath=3"], "hydra.searchpath: must be a list of strings. Got: 3"),
        (["hydra.job.env_copy=[NIX]"], "hydra.job.env_copy: KeyError: 'NIX'"),
        # What fits beside it is not blamed.
        (["model.mean=[1,2,3]", "~seed=3"], "seed: is 0, not 3; write ~seed"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_hydra_would_say_in_several_lines_is_one(arguments, wanted):
    with pytest.raises(ConfigError) as caught:
        prepare_overrides(arguments, CONF)
    assert caught.value.problems == (wanted,)


def test_what_does_not_fit_in_one_job_of_a_sweep_is_one_line():
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = compose("config", return_hydra_config=True)
        cfg.hydra.overrides.task = ["++model.fine_tune_start={head:1},[1]"]
        with pytest.raises(ConfigError) as caught:
            check_jobs(cfg)
    wanted = SAID[MAPPING, "list"].format(key=MAPPING)
    assert caught.value.problems == (f"model.fine_tune_start: {wanted}",)


def test_a_refusal_is_the_first_paragraph_without_details():
    error = ConfigCompositionException(
        "Cannot find 'x'.\nLook.\n    full_key: a\n\nSearch path:\n x"
    )
    assert refusal(error) == "Cannot find 'x'. Look."
    assert re.fullmatch(r"ValueError: no 'x'", refusal(ValueError("no 'x'")))
