"""The architecture rules: imports go down only, files and functions are short."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "aerialseg"
FILES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
} | {"run": ROOT / "run.py"}

# Each layer may import from the layers above it in this list, and a package from itself.
LAYERS = (
    {"errors", "durations", "seeds", "stopping"},
    {"kernels", "plugins", "values"},  # raise our errors
    {"classes", "storage"},
    {"viz", "metrics", "losses", "scenes", "rle"},
    {"data", "models"},
    {"inference"},
    {"report"},  # draws and tabulates what a predictor says
    {"callbacks", "config"},  # callbacks log what report draws
    {"training", "export"},  # an export needs a predictor, and nothing of training
    {"tasks"},
    {"entry"},
    {"run", "__main__"},  # both only start it
)
KNOWS_HYDRA = (
    "aerialseg.entry",
    "aerialseg.config",
    "aerialseg.tasks",
    "aerialseg.training.instantiation",
)
HEAVY = {
    "torch",
    "torchvision",
    "pytorch_lightning",
    "torchmetrics",
    "cv2",
    "albumentations",
    "pydantic",
}
LIGHT = (
    "run",
    "aerialseg",
    "aerialseg.config",
    "aerialseg.config.overrides",
    "aerialseg.config.tasks",
    "aerialseg.entry",
    "aerialseg.errors",
    "aerialseg.report.job_tables",
    "aerialseg.stopping",
    "aerialseg.storage.atomic_files",
    "aerialseg.storage.run_folders",
    "aerialseg.tasks.hydra_callbacks",
)


def imports_of(module, *, top_level=False):
    """Full names of what a module imports, the imported name included."""
    tree = ast.parse(FILES[module].read_text(encoding="utf-8"))
    nodes = tree.body if top_level else ast.walk(tree)
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: imports are absolute"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def package_of(name):
    """``aerialseg.data.images.reading.read_image`` belongs to ``data``."""
    return "run" if name == "run" else [*name.split("."), ""][1]


def layer_of(package):
    (layer,) = (index for index, packages in enumerate(LAYERS) if package in packages)
    return layer


def test_every_package_is_in_one_layer():
    packages = {package_of(module) for module in FILES} - {""}
    assert packages == set().union(*LAYERS)
    assert len(packages) == sum(map(len, LAYERS))


@pytest.mark.parametrize("module", FILES)
def test_imports_go_down_only(module):
    package = package_of(module)
    for name in imports_of(module):
        if name.partition(".")[0] not in ("aerialseg", "run"):
            continue
        target = package_of(name)
        if target not in (package, "__version__"):
            # aerialseg/__init__.py offers names of the packages below training.
            layer = layer_of(package or "training")
            assert layer_of(target) < layer, f"{module} imports {name}"


@pytest.mark.parametrize("module", FILES)
def test_only_config_tasks_and_run_know_hydra(module):
    tops = {name.partition(".")[0] for name in imports_of(module)}
    assert module.startswith(KNOWS_HYDRA) or not tops & {"hydra", "omegaconf"}


def test_one_name_means_one_thing():
    names = [module.rpartition(".")[2] for module, path in FILES.items() if path.stem != "__init__"]
    assert sorted({name for name in names if names.count(name) > 1}) == []


@pytest.mark.parametrize("module", FILES)
def test_lightning_has_one_name_and_nothing_needs_the_old_package(module):
    assert "lightning" not in {name.partition(".")[0] for name in imports_of(module)}


@pytest.mark.parametrize("module", LIGHT)
def test_light_modules_import_nothing_heavy_at_the_top(module):
    tops = {name.partition(".")[0] for name in imports_of(module, top_level=True)}
    assert not tops & HEAVY


def test_the_package_itself_loads_nothing_of_its_own():
    script = "import sys, aerialseg; print([m for m in sys.modules if m.startswith('aerialseg.')])"
    command = [sys.executable, "-c", script]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_light_modules_load_nothing_heavy_through_others():
    script = (
        "import importlib, sys\n"
        f"for name in {LIGHT[1:]}: importlib.import_module(name)\n"
        f"print(sorted({HEAVY} & set(sys.modules)))\n"
    )
    command = [sys.executable, "-c", script]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("module", FILES)
def test_files_and_functions_are_short(module):
    text = FILES[module].read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = node.end_lineno - node.lineno + 1
            assert length <= 50, f"{module}.{node.name} has {length} lines"


@pytest.mark.parametrize("module", FILES)
def test_a_private_function_says_what_it_does_unless_it_is_short(module):
    for node in ast.walk(ast.parse(FILES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and re.match(r"_[^_]", node.name):
            short = node.end_lineno - node.lineno + 1 <= 8
            assert short or ast.get_docstring(node), f"{module}.{node.name} has no docstring"
