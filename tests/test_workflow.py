"""The workflow does what the README and `.ci/run` say."""

import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
WORKFLOW = yaml.safe_load(TEXT)
TRIGGERS = WORKFLOW[True]  # YAML 1.1 takes the word `on` for a truth value
JOBS = WORKFLOW["jobs"]


def commands(job):
    return [step["run"] for step in JOBS[job]["steps"] if "run" in step]


def test_the_checks_are_those_of_the_local_script():
    script = (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()
    checks = [line for line in script if re.match(r"ruff|mypy|pytest", line)]
    lint, (default, slow) = checks[:-2], checks[-2:]
    assert lint == ["ruff check .", "ruff format --check .", "mypy"]
    assert [command for command in commands("lint") if command in checks] == lint
    assert commands("test")[-1] == default == "pytest"
    assert commands("slow")[-1] == slow == "pytest -m slow"


def test_the_tests_run_as_the_readme_says():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.search(r'pip install -e "\.\[dev\]" && pytest\b', readme)
    for job in JOBS:
        assert re.match(r'uv pip install .*-e "\.\[dev\]"$', commands(job)[0])


def test_every_system_has_the_oldest_and_the_newest_versions():
    matrix = JOBS["test"]["strategy"]["matrix"]
    assert {name.split("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    oldest, newest = matrix["python"]
    assert project["requires-python"] == f">={oldest}"
    assert int(newest.split(".")[1]) > int(oldest.split(".")[1])
    resolutions = {row["python"]: row["resolution"] for row in matrix["include"]}
    assert resolutions == {oldest: "lowest-direct", newest: "highest"}
    assert "--resolution ${{ matrix.resolution }}" in commands("test")[0]


def test_every_dependency_has_a_lower_bound():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    for requirement in [*project["dependencies"], *chain(*extras.values())]:
        assert re.search(r">=|==|^aerialseg\[\w+\]$", requirement), requirement


def test_the_slow_tests_run_once_a_week_on_linux():
    (schedule,) = TRIGGERS["schedule"]
    *_, day = schedule["cron"].split()
    assert day.isdecimal()
    assert JOBS["slow"]["runs-on"].startswith("ubuntu")
    assert commands("slow")[-1] == "pytest -m slow"
    assert "schedule" in JOBS["slow"]["if"]


@pytest.mark.parametrize("name", JOBS)
def test_no_job_runs_for_ever_or_downloads_everything_anew(name):
    assert 0 < JOBS[name]["timeout-minutes"] <= 300
    options = [step["with"] for step in JOBS[name]["steps"] if "setup-uv" in step.get("uses", "")]
    assert options[0]["enable-cache"] is True
    assert WORKFLOW["concurrency"]["cancel-in-progress"] is True
