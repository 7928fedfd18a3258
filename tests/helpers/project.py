"""The commands of a small curriculum, as real processes."""

import os
import subprocess
import sys
from pathlib import Path

from helpers.commands import run_command

REPOSITORY = Path(__file__).parents[2]


class Project:
    """Runs commands that write to a temporary folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run_folder = folder / "runs" / "demo"
        self.overrides = (
            "experiment=demo",
            "recipe=seed",  # all five stages
            *("stage.fresh=learn", "stage.load_from=best", "loss.class_weights=none"),
            *("optimizer=adamw", "scheduler=polynomial"),
            f"data.root={folder / 'scenes'}",
            "data.layout.count=12",
            "data.layout.test_count=2",
            "data.layout.size=[64,96]",
            "data.image_min_size=48",
            "data.batch_size=4",
            "data.num_workers=0",
            "stage.epochs=1",
            f"paths.runs_dir={folder / 'runs'}",
            f"paths.cache_dir={folder / 'cache'}",
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run_command(*arguments, *self.overrides, folder=REPOSITORY)

    def script(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        if sys.platform == "win32":  # which runs no shell scripts
            return self.run("task=curriculum", *arguments)
        return self.execute("./multirun_stages.sh", *self.overrides, *arguments)

    def checkpoint(self, stage: str, name: str = "best") -> Path:
        return self.run_folder / stage / "train" / "checkpoints" / f"{name}.ckpt"

    @staticmethod
    def execute(*command: str, folder: Path = REPOSITORY) -> subprocess.CompletedProcess[str]:
        python_folder = Path(sys.executable).parent
        environment = {
            **os.environ,
            "PATH": f"{python_folder}{os.pathsep}{os.environ['PATH']}",
            "OMP_NUM_THREADS": "1",
            "COLUMNS": "120",
        }
        return subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
