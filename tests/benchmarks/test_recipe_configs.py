"""The digest of what a variant trains with."""

import shutil

import pytest

from aerialseg.errors import ConfigError
from benchmarks.recipes import configs
from benchmarks.recipes.configs import config_digest


def test_a_digest_changes_with_what_is_typed_and_with_the_files(tmp_path, monkeypatch):
    before = config_digest(["recipe=strong"])
    assert before == config_digest(["recipe=strong"])
    assert before != config_digest(["recipe=strong", "data.rare_classes=0.5"])
    assert before != config_digest(["recipe=seed"])
    shutil.copytree(configs.ROOT / "conf", tmp_path / "conf")
    monkeypatch.setattr(configs, "ROOT", tmp_path)
    assert config_digest(["recipe=strong"]) == before
    file = tmp_path / "conf" / "recipe" / "strong.yaml"
    file.write_text(file.read_text().replace("warmup_steps: 30", "warmup_steps: 31"))
    assert config_digest(["recipe=strong"]) != before


def test_all_stages_of_a_recipe_count(tmp_path, monkeypatch):
    before = config_digest(["recipe=seed"])
    shutil.copytree(configs.ROOT / "conf", tmp_path / "conf")
    monkeypatch.setattr(configs, "ROOT", tmp_path)
    file = tmp_path / "conf" / "stage" / "half_backbone.yaml"
    file.write_text(file.read_text() + "fine_tune_start: 3\n")
    assert config_digest(["recipe=seed"]) != before


def test_what_does_not_fit_the_config_is_said_before_any_work():
    with pytest.raises(ConfigError, match="there is no 'strnog'; did you mean 'strong'"):
        config_digest(["recipe=strnog"])
