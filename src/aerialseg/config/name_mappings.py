"""Mappings of names on the command line, whose keys Hydra's grammar cannot read as any text."""

from urllib.parse import quote, unquote

import yaml
from omegaconf import OmegaConf

KEYS = frozenset({"data.map_classes", "stage.renamed_classes"})
"""Keys of mappings from names to names."""
_RESOLVER = "names"
_NULLS = ("", "~", "null")


def read_names(value: str) -> dict[str, str | None] | None:
    """A mapping as YAML writes it, ``{Straße: road, '1': null}``, with names as they stand.

    Args:
        value: What was typed.

    Returns:
        Texts by text, or None for nothing; ``None`` if it is no such mapping.
    """
    try:
        node = yaml.compose(value, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return None
    if not isinstance(node, yaml.MappingNode):
        return None
    names: dict[str, str | None] = {}
    for key, other in node.value:
        both_are_texts = isinstance(key, yaml.ScalarNode) and isinstance(other, yaml.ScalarNode)
        if not both_are_texts or key.value in names:
            return None
        names[key.value] = None if _is_null(other) else other.value
    return names


def as_interpolation(names: dict[str, str | None]) -> str:
    """A mapping as OmegaConf reads it with any names: ``${names:'Straße=road&car'}``.

    Signs are written as in addresses of web pages, since quotes in quotes cannot be read again from
    the overrides that a run records. A name without ``=`` becomes nothing.
    """
    pairs = (
        _without_signs(name) if other is None else f"{_without_signs(name)}={_without_signs(other)}"
        for name, other in names.items()
    )
    return f"${{{_RESOLVER}:'{'&'.join(pairs)}'}}"


def _names(text: str) -> dict[str, str | None]:
    """What :func:`as_interpolation` has written."""
    pairs = (pair.partition("=") for pair in text.split("&") if pair)
    return {unquote(name): unquote(other) if equals else None for name, equals, other in pairs}


def _without_signs(name: str) -> str:
    return "".join(letter if letter.isalnum() else quote(letter, safe=" ") for letter in name)


def _is_null(node: yaml.ScalarNode) -> bool:
    return node.style is None and node.value in _NULLS


OmegaConf.register_new_resolver(_RESOLVER, _names, replace=True)
