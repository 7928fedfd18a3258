"""What other systems lack or do otherwise, as far as Linux can show it."""

import ast
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = [
    ROOT / "run.py",
    *sorted(path for room in ("src", "benchmarks") for path in (ROOT / room).rglob("*.py")),
]

# Takes away what only POSIX systems have, as far as Python itself lives without it.
ELSEWHERE = """
import os, signal, sys, warnings
warnings.filterwarnings("ignore", "only soft file lock")  # Windows has a lock of its own
for name in ("fcntl", "grp", "pwd", "resource", "termios"):
    sys.modules[name] = None
for name in ("sync", "setpgid", "getuid", "geteuid"):
    vars(os).pop(name, None)
for name in ("pthread_sigmask", "sigwaitinfo", "SIGKILL", "SIGXFSZ", "SIGHUP"):
    vars(signal).pop(name, None)
"""


def run(script, *arguments, **options):
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
        **options,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_module_can_be_imported_without_what_posix_has():
    script = ELSEWHERE + (
        "import importlib, pkgutil, aerialseg\n"
        "found = [m.name for m in pkgutil.walk_packages(aerialseg.__path__, 'aerialseg.')]\n"
        "for name in found: importlib.import_module(name)\n"
        "print(len(found))\n"
    )
    modules = [path for path in OURS if "src" in path.parts and path.name != "__init__.py"]
    assert int(run(script)) > len(modules)


@pytest.mark.slow
def test_the_tests_helpers_can_be_imported_on_windows():
    script = ELSEWHERE + (
        "import multiprocessing, pytest, torch, aerialseg.storage.checkpoints\n"
        "import aerialseg.callbacks.checkpoint  # with all that asks for the platform itself\n"
        "multiprocessing.get_all_start_methods = lambda: ['spawn']\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "sys.platform = 'win32'\n"
        "import helpers.disk, helpers.processes, helpers.systems\n"
        "assert helpers.systems.needs_posix.args == (True,)\n"
    )
    run(script, ROOT / "tests")


def test_files_are_written_and_leftovers_removed_without_what_posix_has(tmp_path):
    script = ELSEWHERE + (
        "from pathlib import Path\n"
        "from aerialseg.storage.atomic_files import *\n"
        "folder = Path(sys.argv[1])\n"
        "left = folder / f'.b.aerialseg-{\"0\" * 32}'\n"
        "left.write_text('')\n"
        "with building(folder / 'deep' / 'folder') as built: (built / 'x').write_text('1')\n"
        "with replacing(folder / 'a') as temporary:\n"
        "    temporary.write_text('1')\n"
        "    remove_leftovers(folder)\n"
        "    assert temporary.exists() and not left.exists()\n"
    )
    run(script, tmp_path)
    found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    assert found == {"a", "deep", "deep/folder", "deep/folder/x"}


@pytest.mark.slow
def test_a_terminal_that_knows_few_characters_ends_no_task(tmp_path):
    """As pipes on Windows, whose encoding has no dot of a table."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "run.py"), "task=layers", "experiment=demo"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": "cp1252"},
        capture_output=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert b"\\u25cf learns" in done.stdout


def text_calls(tree):
    """Calls that open text: as methods of paths, with the name of the method."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name)):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
        named = {keyword.arg for keyword in node.keywords}
        if name in ("read_text", "write_text") and isinstance(node.func, ast.Attribute):
            yield node.lineno, "encoding" in named or len(node.args) > (name == "write_text")
        elif name == "open" and not _opens_no_text(node):
            yield node.lineno, "encoding" in named
        if named & {"text", "universal_newlines"}:
            yield node.lineno, "encoding" in named


_NO_TEXT = ("os.open", "Image.open", "rasterio.open", "urllib.request.urlopen")


def _opens_no_text(node):
    modes = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    binary = any("b" in mode for mode in modes)
    return binary or ast.unparse(node.func) in _NO_TEXT


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_text_is_opened_with_its_encoding(path):
    """Without one Windows takes that of the country."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert [line for line, encoded in text_calls(tree) if not encoded] == []


@pytest.mark.parametrize(
    ("call", "found"),
    [
        ("p.open()", [False]),
        ("p.open('rb')", []),
        ("p.write_text(x)", [False]),
        ("p.write_text(x, encoding='utf-8')", [True]),
        ("write_text(p, x)", []),
        ("open(p, 'w')", [False]),
        ("subprocess.run(c, text=True)", [False]),
    ],
)
def test_the_search_for_encodings_finds_what_it_should(call, found):
    assert [encoded for _, encoded in text_calls(ast.parse(call))] == found


GROUP = """
import multiprocessing, os, signal, sys, time
from aerialseg.data.loading import workers
def work(ready):
    vars(signal).pop("sigwaitinfo", None)  # as on macOS
    workers._set_up_worker(0)
    ready.set()
    time.sleep(60)
context = multiprocessing.get_context("fork")
ready = context.Event()
worker = context.Process(target=work, args=(ready,))
worker.start()
ready.wait()
signal.signal(signal.SIGTERM, lambda *_: None)
os.killpg(0, signal.SIGTERM)
os.killpg(0, signal.SIGINT) if signal.signal(signal.SIGINT, signal.SIG_IGN) else None
worker.join(0.5)
alive = worker.is_alive()
worker.terminate()
worker.join(10)
print(alive, worker.exitcode)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no process groups")
def test_without_sigwaitinfo_a_worker_outlives_signals_to_its_group():
    assert run(GROUP, start_new_session=True).split() == ["True", str(-signal.SIGTERM)]


# An argument with a character that zsh, the shell of macOS, takes for a pattern.
PATTERN = re.compile(r"(?<=\s)[+~]*[\w./@]+=[^\s'\"`]*[][{}*?]")


def command_lines(text):
    return [line for line in text.splitlines() if re.search(r"run\.py|multirun_stages\.sh", line)]


def test_shown_commands_quote_what_zsh_takes_for_a_pattern():
    shown = [ROOT / "README.md", ROOT / "multirun_stages.sh", ROOT / "weights/README.md", *OURS]
    shown += [*(ROOT / "docs").rglob("*.md"), *(ROOT / "conf").rglob("*.yaml")]
    found = {path: command_lines(path.read_text(encoding="utf-8")) for path in shown}
    assert len(sum(map(tuple, found.values()), ())) > 30
    unquoted = [(path.name, line) for path in shown for line in found[path] if PATTERN.search(line)]
    assert unquoted == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("python run.py data.layout.size=[64,96]", True),
        ("python run.py 'data.layout.size=[64,96]'", False),
        ("python run.py task=predict input=flight/*.jpg", True),
        ("python run.py stage=head,decoder", False),
    ],
)
def test_the_search_for_patterns_finds_what_it_should(line, found):
    assert bool(PATTERN.search(line)) == found
