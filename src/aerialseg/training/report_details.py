"""What a report says of how a run was made: its data, its versions, its commands."""

import shlex
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version

from aerialseg.durations import counted
from aerialseg.errors import ConfigError
from aerialseg.report.job_tables import FinishedJob
from aerialseg.storage.atomic_files import hash_file
from aerialseg.storage.run_folders import RunFolder
from aerialseg.training.scored_dataset import ScoredDataset


def subtitle(scored: ScoredDataset) -> list[str]:
    """What was trained, and on what, in a line each."""
    description = scored.predictor.description
    network = str(description.network.get("_target_", "")).rpartition(".")[2]
    seen = description.seen
    trained = counted(sum(map(len, seen.trained.values())), "training image") if seen else ""
    return [
        f"{network}, {len(scored.data.classes)} classes",
        f"{scored.data.place}{f', {trained}' if trained else ''}",
    ]


def details_of(folder: RunFolder, jobs: Sequence[FinishedJob]) -> list[tuple[str, str]]:
    """Name and value of what the last stage of a run was made with.

    Args:
        folder: Of the last stage.
        jobs: All stages.
    """
    checkpoint = folder.checkpoints / "best.ckpt"
    try:
        provenance = folder.provenance()
    except ConfigError:
        provenance = {}
    identity, versions = provenance.get("identity", {}), provenance.get("versions", {})
    parameters = jobs[-1].result.total_parameters
    details = [
        ("checkpoint", f"{checkpoint}, sha256 {hash_file(checkpoint)}"),
        ("parameters", f"{parameters:,}"),
        ("seed", str(identity.get("seed", ""))),
        ("commit", str(provenance.get("git_commit") or "")),
        ("versions", ", ".join(f"{name} {number}" for name, number in versions.items())),
    ]
    return [(name, value) for name, value in details if value]


def start_of(folder: RunFolder) -> dict[str, str | None]:
    """What the first stage of a run started from, as its provenance says; empty if that is lost."""
    try:
        found: dict[str, str | None] = folder.provenance().get("parent") or {}
    except ConfigError:
        return {}
    return found


def commands_of(folders: Sequence[RunFolder]) -> list[str]:
    """What was typed for the stages, each command once."""
    commands = []
    for folder in folders:
        try:
            commands.append(shlex.join(map(str, folder.provenance()["command"])))
        except (ConfigError, KeyError):
            continue  # its record is damaged, which the table of stages has said
    return list(dict.fromkeys(commands))


def footer() -> str:
    """Who made the page, and when."""
    return f"aerialseg {version('aerialseg')}, {datetime.now():%Y-%m-%d %H:%M}"
