"""docs/config.md is what its generator writes, and leaves nothing out."""

import importlib
import re
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from helpers.composing import CONF, composed
from helpers.pages import ROOT

PAGE = (ROOT / "docs/config.md").read_text("utf-8")
# Mappings that are one value, and one row.
MAPPINGS = ("data.classes", "data.mask_values", "data.layout.parts", "data.layout.split")
MAPPINGS += ("model.fine_tune_start", "recipe.epochs", "recipe.learning_rate")
MAPPINGS += ("recipe.augmentation", "recipe.crops")
GROUPS = [path for path in sorted(CONF.iterdir()) if path.is_dir() and path.name != "hydra"]


@pytest.fixture
def generator(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    return importlib.import_module("generate_config")


def keys_of(value, path=""):
    """Every path to a value, down to lists and mappings that are one value."""
    if not isinstance(value, dict) or path in MAPPINGS:
        return [path]
    inner = [(f"{path}.{key}".lstrip("."), item) for key, item in value.items()]
    return [key for place, item in inner for key in keys_of(item, place)]


def test_the_page_is_up_to_date(generator):
    assert generator.reference() == PAGE, "run `python docs/generate_config.py`"


@pytest.mark.parametrize("group", GROUPS, ids=lambda path: path.name)
def test_every_choice_and_every_key_is_there(group):
    for path in group.glob("[!_]*.yaml"):
        assert f"| `{path.stem}` | " in PAGE
        if group.name != "experiment":
            config = OmegaConf.to_container(composed(f"{group.name}={path.stem}"), resolve=False)
            wanted = keys_of(config)
            left_out = ("_target_", "_partial_", "transforms", "task.name")
            wanted = [key for key in wanted if not key.endswith(left_out)]
            missing = [key for key in wanted if f"| `{key}` | " not in PAGE]
            assert not [key for key in missing if config_section(config, key) != {}]


def config_section(config, key):
    """The value at a key; an empty mapping is the choice ``none``."""
    for part in key.split("."):
        config = config[part]
    return config


def test_nothing_in_the_page_is_of_this_machine():
    assert str(ROOT) not in PAGE
    assert str(Path.home()) + "/" not in PAGE
    assert not re.search("0x[0-9a-f]{6}", PAGE)


def test_types_and_ranges_are_said_in_words(generator):
    assert "| `stage.learning_rate` | number, > 0 |" in PAGE
    assert "| `data.image_min_size` | whole number, >= 1 or null |" in PAGE
    assert "| `task.split` | `train` or `val` | `train` |" in PAGE
    assert generator.type_text(dict[str, int] | None) == "mapping or null"


def test_every_key_of_ours_says_what_it_is():
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    for row in rows:
        *_, meaning = row.replace("\\|", "/").removesuffix(" |").split(" | ")
        assert meaning.strip() or "argument of" in row, row
