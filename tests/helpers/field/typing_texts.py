"""What a user types, by the rules that docs/troubleshooting.md gives for texts."""

_SPECIAL = ",'\"()[]{}"


def text(key, value):
    """``key=value`` for any text: in quotes of its own where it has a comma, bracket or quote."""
    value = str(value)
    return f"{key}={_quoted(value) if set(value) & set(_SPECIAL) else value}"


def mapping(key, values, names):
    """``key={value: name}``; a class may have a tuple of values."""
    groups = [value if isinstance(value, tuple) else (value,) for value in values]
    pairs = [(value, name) for group, name in zip(groups, names, strict=False) for value in group]
    return f"{key}={{{', '.join(f'{value}: {_quoted(name)}' for value, name in pairs)}}}"


def renaming(key, names):
    """``key={name: other}`` of texts, of which others may be None; in quotes, if not plain."""
    pairs = (
        f"{_in_mapping(name)}: {'null' if other is None else _in_mapping(other)}"
        for name, other in names.items()
    )
    return f"{key}={{{', '.join(pairs)}}}"


def _in_mapping(name):
    return name if name.isalnum() and name != "null" else f"'{name.replace(chr(39), chr(39) * 2)}'"


def _quoted(value):
    return "'" + value.replace("'", "\\'") + "'"
