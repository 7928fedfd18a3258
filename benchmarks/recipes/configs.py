"""What a variant trains with, as a digest: overrides may stay as they are while files change."""

import json
from collections.abc import Sequence
from hashlib import sha256

from omegaconf import OmegaConf

from aerialseg.config.composition import compose, hydra_in
from aerialseg.config.overrides import prepare_overrides
from benchmarks.experiment import ROOT

_DECIDES = ("recipe", "stage", "model", "loss", "augmentation", "optimizer", "scheduler", "trainer")
"""Parts of a config that decide what is learnt from given data."""


def config_digest(overrides: Sequence[str]) -> str:
    """The first digits of the sha256 of what all stages of a recipe are trained with.

    Of ``data`` and ``callbacks`` only what is typed counts, and folders do not.

    Raises:
        ConfigError: If the overrides do not fit the config.
    """
    folder = ROOT / "conf"
    typed = prepare_overrides(list(overrides), folder)
    with hydra_in(folder):
        stages = compose("config", typed).recipe.stages
        configs = [compose("config", [*typed, f"stage={stage}"]) for stage in stages]
    parts = [
        {part: OmegaConf.to_container(config[part], resolve=False) for part in _DECIDES}
        for config in configs
    ]
    text = json.dumps([sorted(overrides), parts], sort_keys=True)
    return sha256(text.encode()).hexdigest()[:12]
