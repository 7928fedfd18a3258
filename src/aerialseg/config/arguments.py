"""What is mistyped in command-line arguments: Hydra's flags, and words that are not overrides."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from hydra.core.override_parser.types import ValueType

from aerialseg.config.joint_sets import as_single
from aerialseg.config.problems import Problem
from aerialseg.config.program import typed
from aerialseg.config.texts import (
    for_shell,
    in_quotes,
    looks_like_grammar,
    parse_override,
    text_keys,
    unbalanced,
)
from aerialseg.config.word_hints import as_input, choices_named, joined, whole_value, with_spaces
from aerialseg.errors import did_you_mean, nearest_name
from aerialseg.storage.names import expand_home, quoted

_KEYS_AND_CHOICES = ("seed",)
"""Names of keys that are choices of a group too; the key is meant."""
_MULTIRUN = ("-m", "--multirun")
_COMPLETION = ("-sc", "--shell-completion")
_COMPLETION_WORDS = ("install", "uninstall", "query")
_RUN = ("-r", "--run")
_HELP = ("-h", "--help")
_CFG_FLAGS = ("-c", "--cfg")
_INFO_FLAGS = ("-i", "--info")
"""The only flags whose value may be left out."""
_PLAIN_FLAGS = (*_HELP, "--hydra-help", "--version", "--resolve", *_RUN, *_COMPLETION, *_MULTIRUN)
_CONFIG_PATH = ("-cp", "--config-path")
_PATH_FLAGS = (
    *("-cn", "--config-name", "-cd", "--config-dir", "-p", "--package"),
    *_CONFIG_PATH,
)
_CFG = ("job", "hydra", "all")
_INFO = ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath")
_CHOICE_FLAGS = {**dict.fromkeys(_CFG_FLAGS, _CFG), **dict.fromkeys(_INFO_FLAGS, _INFO)}
FLAGS = (*_PLAIN_FLAGS, *_PATH_FLAGS, *_CHOICE_FLAGS)
"""All flags of Hydra but ``--experimental-rerun``."""
_RERUN = "--experimental-rerun"
_ONE_OF = (_RUN, _MULTIRUN, _CFG_FLAGS, _INFO_FLAGS, _COMPLETION)
"""What a command does; Hydra does one thing at a time."""
_QUOTES = "a value with spaces needs quotes, as in \"KEY='A VALUE'\""


def separate_flags(
    arguments: Sequence[str], conf_dir: Path
) -> tuple[list[str], list[str], list[Problem]]:
    """Separates Hydra's flags, with their values, from the other words of a command line.

    Args:
        arguments: ``sys.argv[1:]``.
        conf_dir: The config tree; its folders are the groups.

    Returns:
        The flags, the other words, and a problem for each flag that Hydra would refuse.
    """
    flags: list[str] = []
    words: list[str] = []
    problems: list[Problem] = []
    pending = list(arguments)
    while pending:
        argument = pending.pop(0)
        if not argument.startswith("-"):
            words.append(argument)
            continue
        name, equals, value = argument.partition("=")
        flags.append(f"{name}={_place(name, value)}" if equals else argument)
        if not equals and pending and _takes_value(name, pending[0]):
            value = pending.pop(0)
            flags.append(_place(name, value))
        elif argument in _INFO_FLAGS:
            flags.append(_INFO[0])  # or Hydra would take the first override for its value
        problems += _flag_problems(name, equals + value, conf_dir)
    return flags, words, [*problems, *_combination_problems(flags)]


def word_problems(words: Sequence[str], conf_dir: Path, *, in_multirun: bool) -> list[Problem]:
    """One problem for each word that Hydra could not read as an override of this command.

    Args:
        words: The words of the command line without the flags.
        conf_dir: The config tree; its folders are the groups.
        in_multirun: Whether several values of a key make several jobs.
    """
    problems: list[Problem] = []
    pending = list(words)
    before = ""
    while pending:
        word = pending.pop(0)
        if "=" in word or word.startswith("~"):
            before = word
            if whole := whole_value(word, pending):
                text = f"its value has spaces; quote all of it, as in {shlex.quote(whole)}"
                problems.append(Problem(word.partition("=")[0], text))
            else:
                problems += _override_problems(word, conf_dir, in_multirun=in_multirun)
            continue
        meant = (
            with_spaces(before, word, pending, conf_dir)
            or (joined(word, pending) if word in _KEYS_AND_CHOICES else "")
            or " or ".join(choices_named(word, conf_dir))
            or as_input(word)
            or joined(word, pending)
        )
        hint = f"did you mean {meant}?" if meant else _QUOTES
        problems.append(Problem(word, f"is not KEY=VALUE; {hint}"))
    return problems


def is_completion(flags: Sequence[str]) -> bool:
    """Whether the command installs, removes or answers the completion of a shell."""
    return any(flag in _COMPLETION for flag in flags)


def completion_problems(words: Sequence[str]) -> list[Problem]:
    """What is wrong with the words of a command about the completion of a shell."""
    asked = [word.partition("=")[0] for word in words]
    if len(asked) == 1 and asked[0] in _COMPLETION_WORDS:
        return []
    return [
        Problem(
            "--shell-completion",
            f"takes one of {', '.join(_COMPLETION_WORDS)}, as in `--shell-completion install=bash`",
        )
    ]


def is_multirun(flags: Sequence[str], words: Sequence[str]) -> bool:
    """Whether Hydra makes a job of each value of a key."""
    return any(flag in _MULTIRUN for flag in flags) or "hydra.mode=MULTIRUN" in words


def value_of_flag(flags: Sequence[str], *names: str) -> str | None:
    """The value that a flag was given, ``--flag=VALUE`` or ``--flag VALUE``; ``None`` without it.

    Args:
        flags: As :func:`separate_flags` returns them.
        names: The names of the flag.
    """
    for index, flag in enumerate(flags):
        name, equals, value = flag.partition("=")
        if name in names:
            return value if equals else "".join(flags[index + 1 : index + 2])
    return None


def _takes_value(flag: str, following: str) -> bool:
    """Whether the word after a flag is its value; after an unknown one it is reported with it."""
    if flag in _INFO_FLAGS:
        return following in _INFO
    is_known = flag in _PATH_FLAGS or flag in _CHOICE_FLAGS
    return is_known or (
        flag not in FLAGS and not following.startswith("-") and "=" not in following
    )


def _place(flag: str, value: str) -> str:
    """The value of a flag as Hydra is to read it, which knows no home folder."""
    if flag in _CONFIG_PATH and "://" not in value and value:
        return str(Path(expand_home(value)).absolute())  # Hydra would look in this package
    return expand_home(value) if flag in _PATH_FLAGS else value


def _combination_problems(flags: Sequence[str]) -> list[Problem]:
    """Flags of which each is right but that do not go together."""
    given = [flag.partition("=")[0] for flag in flags]
    does = [flag for flag in given if any(flag in names for names in _ONE_OF)]
    kinds = [next(names for names in _ONE_OF if flag in names) for flag in does]
    problems = [
        Problem(flag, f"cannot go with {does[0]}; leave one of them out")
        for flag, kind in zip(does, kinds, strict=True)
        if kind != kinds[0]
    ]
    if "--resolve" in given and not {*_CFG_FLAGS, *_HELP} & set(given):
        problems.append(Problem("--resolve", "goes with --cfg only, as in `--cfg job --resolve`"))
    return problems


def _flag_problems(name: str, given: str, conf_dir: Path) -> list[Problem]:
    """What is wrong with a flag.

    Args:
        name: The flag, up to its ``=``.
        given: What followed it: ``=value``, ``value`` or nothing.
        conf_dir: The config tree.
    """
    value = given.removeprefix("=")
    if name in _PLAIN_FLAGS:
        return [Problem(name, "takes no value")] if given else []
    if name in _CHOICE_FLAGS:
        choices = _CHOICE_FLAGS[name]
        if value in choices or (not given and name in _INFO_FLAGS):
            return []
        return [Problem(name, f"there is no '{value}'{did_you_mean(value, choices)}")]
    if name in _PATH_FLAGS and not value:
        return [Problem(name, "needs a value")]
    if name in _CONFIG_PATH and not ("://" in value or Path(_place(name, value)).is_dir()):
        return [Problem(name, f"{_place(name, value)} is not a folder")]
    if name in _PATH_FLAGS:
        return []
    if name == _RERUN:
        return [Problem(name, "no run here has the file that it reads; type the command again")]
    key = name.lstrip("-").replace("-", "_")
    if given or (conf_dir / key).is_dir():
        return [Problem(name, f"is not a flag; did you mean {key}={value or 'VALUE'}?")]
    nearest = nearest_name(name, FLAGS)
    hint = f"did you mean '{nearest}'?" if nearest else f"`{typed('--hydra-help')}` lists them"
    return [Problem(name, f"is not a flag; {hint}")]


def _override_problems(word: str, conf_dir: Path, *, in_multirun: bool) -> list[Problem]:
    """What is wrong with a word that has a key and a value."""
    key, _, value = word.partition("=")
    key = key.lstrip("+~")
    if not key:
        return [Problem(word, "has no key; write KEY=VALUE without spaces")]
    override = parse_override(word)
    if override is None and ("=" not in word or parse_override(f"{key}=x") is None):
        is_removal = word.startswith("~")
        step = (
            "what is to be left out is written ~KEY"
            if is_removal
            else "a key has letters a to z, digits, _, - and dots"
        )
        return [Problem(word if is_removal else key, f"cannot be read; {step}")]
    if override is None:
        reason, text = unbalanced(value), for_shell(f"{key}={in_quotes(value)}")
        step = f"if it is a text, write {text}"
        if reason and looks_like_grammar(value):
            step = f"quote all of it, as in '{key}=[A,B]' or \"{key}='A TEXT'\""
        return [Problem(key, f"{quoted(value)} cannot be read{reason}; {step}")]
    if in_multirun or not override.is_sweep_override():
        return []
    other = ""
    if as_single(key) in text_keys():
        other = f", or write {for_shell(f'{key}={in_quotes(value)}')} for one text"
    elif override.value_type is ValueType.SIMPLE_CHOICE_SWEEP and not (conf_dir / key).is_dir():
        other = f", or write '{key}=[{value}]' for a list"
    return [Problem(key, f"{value} means several values; add -m for a job with each{other}")]
