"""Arguments that are neither a flag nor an override: one line each, with what was meant."""

import pytest
from hydra._internal.utils import get_args_parser

from aerialseg.config.arguments import FLAGS
from aerialseg.config.overrides import prepare_overrides
from aerialseg.errors import ConfigError
from helpers.composing import CONF

QUOTES = "a value with spaces needs quotes, as in \"KEY='A VALUE'\""
MISTYPED = {
    # Several values without -m.
    ("task=curriculum", "task.stages=head,aspp"): [
        "task.stages: head,aspp means several values; add -m for a job with each, "
        "or write 'task.stages=[head,aspp]' for a list"
    ],
    ("loss=dice,focal",): ["loss: dice,focal means several values; add -m for a job with each"],
    ("seed=range(1,3)",): ["seed: range(1,3) means several values; add -m for a job with each"],
    ("stage=head,asp",): [
        "stage: head,asp means several values; add -m for a job with each",
        "stage: there is no 'asp'; did you mean 'aspp'?",
    ],
    # Brackets and quotes.
    ("task.stages=[head",): [
        "task.stages: '[head' cannot be read: '[' is not closed; quote all of it, "
        "as in 'task.stages=[A,B]' or \"task.stages='A TEXT'\""
    ],
    ("model.mean=[1,2)",): [
        "model.mean: '[1,2)' cannot be read: ')' closes nothing; quote all of it, "
        "as in 'model.mean=[A,B]' or \"model.mean='A TEXT'\""
    ],
    ("data.root='a",): [
        "data.root: \"'a\" cannot be read: the quote ' is not closed; quote all of it, "
        "as in 'data.root=[A,B]' or \"data.root='A TEXT'\""
    ],
    # Texts that look like something else, with the exact quotes.
    ("input=[a].jpg",): [
        "input: '[a].jpg' cannot be read; if it is a text, write \"input='[a].jpg'\""
    ],
    ("data.root=feld (süd",): [
        "data.root: 'feld (süd' cannot be read: '(' is not closed; if it is a text, "
        "write \"data.root='feld (süd'\""
    ],
    ("data.root=Peter's",): [
        "data.root: \"Peter's\" cannot be read: the quote ' is not closed; if it is a text, "
        'write "data.root=\\"Peter\'s\\""'
    ],
    ("data.root=a,b",): [
        "data.root: a,b means several values; add -m for a job with each, "
        "or write \"data.root='a,b'\" for one text"
    ],
    ("wörter=1",): ["wörter: cannot be read; a key has letters a to z, digits, _, - and dots"],
    # Hydra's own settings.
    ("hydra/launcher=joblib",): [
        "hydra/launcher: there is no 'joblib'; known: basic; others come from packages such as "
        "hydra-joblib-launcher"
    ],
    ("hydra/launchr=basic",): ["hydra/launchr: is not a group; did you mean 'hydra/launcher'?"],
    ("data/clases=dubai",): ["data/clases: is not a group; did you mean 'data/classes'?"],
    ("hydra.job.chdir=true",): [
        "hydra.job.chdir: must be false: relative paths mean the folder in which you type; "
        "choose others by paths.output_dir"
    ],
    # No equals sign, or spaces around it.
    ("stage", "head"): ["stage: is not KEY=VALUE; did you mean stage=head?"],
    ("stage.epochs", "5", "seed=1"): [
        "stage.epochs: is not KEY=VALUE; did you mean stage.epochs=5?"
    ],
    ("seed", "=", "3"): ["seed: is not KEY=VALUE; did you mean seed=3?"],
    ("seed", "=3"): ["seed: is not KEY=VALUE; did you mean seed=3?"],
    ("evaluate", "stage=full"): ["evaluate: is not KEY=VALUE; did you mean task=evaluate?"],
    ("flight",): [f"flight: is not KEY=VALUE; {QUOTES}"],
    ("demo",): [
        "demo: is not KEY=VALUE; did you mean data=demo or experiment=demo or recipe=demo?"
    ],
    # The shell has cut a value at its spaces.
    ("run_name=my", "run"): ["run: is not KEY=VALUE; did you mean 'run_name=my run'?"],
    ("data.root=my", "field", "(2)", "seed=1"): [
        "field: is not KEY=VALUE; did you mean 'data.root=my field (2)'?"
    ],
    ("data.root=my", "field", "seed", "1"): [
        "field: is not KEY=VALUE; did you mean 'data.root=my field'?",
        "seed: is not KEY=VALUE; did you mean seed=1?",
    ],
    ("data.mask_values={0:", "land,", "255:", "house}", "seed=1"): [
        "data.mask_values: its value has spaces; quote all of it, as in "
        "'data.mask_values={0: land, 255: house}'"
    ],
    ("seed=1", "stage.epochs", "5"): [
        "stage.epochs: is not KEY=VALUE; did you mean stage.epochs=5?"
    ],
    ("task=predict", "flight/images"): [
        "flight/images: is not KEY=VALUE; did you mean input=flight/images or "
        "data.root=flight/images?"
    ],
    ("=1",): ["=1: has no key; write KEY=VALUE without spaces"],
    ("~callbacks samples",): [
        "~callbacks samples: cannot be read; what is to be left out is written ~KEY"
    ],
    # Flags that are keys, and flags that are none.
    ("--stage=head",): ["--stage: is not a flag; did you mean stage=head?"],
    ("--stage", "head"): ["--stage: is not a flag; did you mean stage=head?"],
    ("-stage=head",): ["-stage: is not a flag; did you mean stage=head?"],
    ("--run-name=a",): ["--run-name: is not a flag; did you mean run_name=a?"],
    ("--stage",): ["--stage: is not a flag; did you mean stage=VALUE?"],
    ("--multirn", "seed=1"): ["--multirn: is not a flag; did you mean '--multirun'?"],
    ("-9",): ["-9: is not a flag; `python run.py --hydra-help` lists them"],
    ("--cfg", "jobb"): ["--cfg: there is no 'jobb'; did you mean 'job'?"],
    ("--cfg",): ["--cfg: there is no ''; known: all, hydra, job"],
    ("--config-dir",): ["--config-dir: needs a value"],
    ("-m=true", "seed=1"): ["-m: takes no value"],
    ("-m", "--cfg", "job"): ["--cfg: cannot go with -m; leave one of them out"],
    ("--info", "--run"): ["--run: cannot go with --info; leave one of them out"],
    ("--resolve",): ["--resolve: goes with --cfg only, as in `--cfg job --resolve`"],
    ("-cp", "/nowhere"): ["-cp: /nowhere is not a folder"],
    ("-cn", "confg"): ["--config-name: there is no 'confg'; did you mean 'config'?"],
    ("-sc",): [
        "--shell-completion: takes one of install, uninstall, query, "
        "as in `--shell-completion install=bash`"
    ],
    ("--experimental-rerun=x",): [
        "--experimental-rerun: no run here has the file that it reads; type the command again"
    ],
    # All at once.
    ("head", "sed=[1", "--trainer=gpu"): [
        "--trainer: is not a flag; did you mean trainer=gpu?",
        "head: is not KEY=VALUE; did you mean stage=head?",
        "sed: '[1' cannot be read: '[' is not closed; quote all of it, as in 'sed=[A,B]' "
        "or \"sed='A TEXT'\"",
    ],
}


@pytest.mark.parametrize(("arguments", "wanted"), MISTYPED.items(), ids=map(" ".join, MISTYPED))
def test_what_is_mistyped_is_a_line_with_what_was_meant(arguments, wanted):
    with pytest.raises(ConfigError) as caught:
        prepare_overrides(arguments, CONF)
    assert list(caught.value.problems) == wanted


@pytest.mark.parametrize(
    "arguments",
    [
        ("-m", "seed=1,2"),
        ("seed=1,2", "--multirun"),
        ("hydra.mode=MULTIRUN", "seed=1,2"),
        ("task.stages=[head,aspp]",),
        ("run_name='a,b'",),
        ("input='photo(1).jpg'",),
        ("hydra/launcher=basic",),
        ("hydra/sweeper=basic",),
        ("hydra.verbose=true",),
        ("hydra.job.chdir=false",),
        ("data.root=my images",),
        ("--config-dir", ".", "--cfg", "job", "--resolve", "-p", "stage"),
        ("--info", "config"),
        ("-sc", "install=bash"),
        ("experiment=null",),
        ("+callbacks.mine._target_=x",),
        ("~callbacks.samples",),
    ],
    ids=" ".join,
)
def test_what_hydra_can_read_is_let_through(arguments):
    assert len(prepare_overrides(arguments, CONF)) >= len(arguments)


def test_every_flag_of_hydra_is_known():
    known = {name for action in get_args_parser()._actions for name in action.option_strings}
    assert known - {"--experimental-rerun"} == set(FLAGS)


def test_what_is_asked_about_completion_reaches_hydra_as_it_was_typed():
    assert prepare_overrides(["-sc", "install=bash"], CONF) == ["-sc", "install=bash"]
