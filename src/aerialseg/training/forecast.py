"""What a training job is told of the stages that follow it."""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep
from omegaconf import DictConfig

from aerialseg.callbacks.pace import Pace
from aerialseg.callbacks.remaining_time import Forecast, Rest


def tell_rest(trainer: pl.Trainer, cfg: DictConfig) -> None:
    """Tells the trainer's forecast, if it has one, what follows."""
    for callback in trainer.callbacks:  # type: ignore[attr-defined]
        if isinstance(callback, Forecast):
            callback.rest = rest_of_curriculum(cfg)


def rest_of_curriculum(cfg: DictConfig) -> Rest:
    """What ``forecast.json`` says of the stages that the same multirun trains after this one.

    Nothing of them where they are not known, or not all measured with the same overrides.
    """
    path = Path(cfg.paths.runs_dir) / cfg.run_name / "forecast.json"
    try:
        return _rest(cfg.stage.name, json.loads(path.read_text(encoding="utf-8"))["stages"])
    except (OSError, ValueError, KeyError, TypeError):  # there is none, or of another version
        return Rest()


def deciding_overrides() -> list[str]:
    """What was typed for this job, but for the stage and the task."""
    typed = HydraConfig.get().overrides.task if HydraConfig.initialized() else []
    return [each for each in typed if not re.match(r"[+~]*((stage|task|existing)=|task\.)", each)]


def stages_to_come(stage: str) -> list[str]:
    """The stages of this multirun after one; none where it sweeps over anything else too."""
    typed = [each for each in sys.argv[1:] if "=" in each and not each.startswith("-")]
    overrides = OverridesParser.create().parse_overrides(typed)
    sweeps = {each.key_or_group: each.value() for each in overrides if each.is_sweep_override()}
    stages = sweeps.get("stage")
    if len(sweeps) > 1 or not isinstance(stages, ChoiceSweep):
        return []
    names = [str(name) for name in stages.list]
    return names[names.index(stage) + 1 :] if stage in names else []


def _rest(stage: str, measured: Sequence[Mapping[str, Any]]) -> Rest:
    rows = {row["stage"]: row for row in measured if row["overrides"] == deciding_overrides()}
    own, names = rows.get(stage), stages_to_come(stage)
    others = [rows[name] for name in names if rows.keys() >= set(names)]
    return Rest(
        {row["stage"]: row["seconds"] for row in others},
        at_most=any(row["at_most"] for row in others),
        pace=Pace(own["step"], own["validation_batch"]) if own and own["left"] else None,
    )
