"""Plain data as YAML text that OmegaConf, and so Hydra, reads back as the same values."""

import math
import re
from collections.abc import Mapping

import yaml


class _Dumper(yaml.SafeDumper):
    """PyYAML's, with quotes around every text that others might read as something else."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # In single quotes some line breaks, as U+0085, would come back as blanks.
    return dumper.represent_scalar(_TEXT, text, style=None if text.isprintable() else '"')


_TEXT = "tag:yaml.org,2002:str"
_Dumper.add_representer(str, _text)
# PyYAML takes 1e-3 for text, OmegaConf and YAML 1.2 for a number: what begins like a number needs
# quotes. Numbers themselves are found by PyYAML's own patterns, which come first.
_Dumper.add_implicit_resolver("!like-a-number", re.compile(""), [*"+-.0123456789"])


def yaml_text(tree: Mapping[str, object]) -> str:
    r"""Writes a mapping as YAML.

    Args:
        tree: Plain data at any depth. Tuples become lists. ``${`` in a text is data: it is written
            as ``\${``, so that OmegaConf does not look up what follows.
    """
    return yaml.dump(
        _escaped(tree), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=math.inf
    )


def _escaped(value: object) -> object:
    """The same data with every ``${`` in a text escaped; keys need no escape."""
    if isinstance(value, Mapping):
        return {key: _escaped(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_escaped(inner) for inner in value]
    if isinstance(value, str):
        # Backslashes before an escape are escaped themselves; elsewhere they stand for themselves.
        return re.sub(r"(\\*)\$\{", r"\1\1\\${", value)
    return value
