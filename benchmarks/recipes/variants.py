"""Variants of the command line: a recipe, or a name with overrides."""

import re
import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_OWN = ("seed", "run_name", "existing", "experiment", "stage", "task", "paths")
_OWN_KEYS = (*_OWN, "data", "data.root", "data.layout.split")
_BELOW = tuple(f"{name}." for name in ("task", "paths"))
_NAMED = re.compile(r"\{([^{}:=,]+)\}")


class VariantError(ValueError):
    """A text that is no variant, in one line."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A way to train.

    Attributes:
        name: Of its row in the table.
        overrides: What is typed for it, in order; ``{NAME}`` stands for the checkpoint of another
            variant.
    """

    name: str
    overrides: tuple[str, ...]

    @property
    def learns_from(self) -> str | None:
        """The name of the variant that it needs the checkpoint of."""
        found = _NAMED.search(" ".join(self.overrides))
        return found and found[1]

    def given(self, checkpoint: Path) -> tuple[str, ...]:
        """The overrides with the checkpoint of the other variant in its place."""
        return tuple(_NAMED.sub(lambda _: f"'{checkpoint}'", each) for each in self.overrides)


def parse_variant(text: str) -> Variant:
    """The variant of ``NAME``, which is ``recipe=NAME``, or of ``NAME: OVERRIDE ...``.

    Overrides are split where a shell would, so quotes keep spaces together.

    Raises:
        VariantError: If the text is neither.
    """
    text = text.strip()
    if re.fullmatch(r"[\w.-]+", text):
        return Variant(text, (f"recipe={text}",))
    named = re.fullmatch(r"([^:=]+):\s+(.+)", text, re.DOTALL)
    if named is None:
        raise VariantError(
            f"'{text}' is no variant; wanted a recipe such as strong, or a name, a colon and "
            "overrides such as 'rare: recipe=strong data.rare_classes=0.5'"
        )
    try:
        overrides = tuple(shlex.split(named[2]))
    except ValueError as error:
        raise VariantError(f"'{text}': {error}; overrides are split as a shell does") from error
    return Variant(named[1].strip(), overrides)


def parse_variants(texts: Sequence[str], *, is_scaled: bool) -> tuple[Variant, ...]:
    """All variants of a command, the first of which the others are compared with.

    Args:
        texts: As they are typed.
        is_scaled: Whether ``recipe.scale`` is chosen here, so that no variant may say it.

    Raises:
        VariantError: If there is none, one is none, or two have one name or the same overrides.
    """
    if not texts:
        raise VariantError("no variant; type some after --, as in: -- seed strong")
    variants = tuple(map(parse_variant, texts))
    for variant in variants:
        check_overrides(variant.overrides, where=variant.name, is_scaled=is_scaled)
    for what, values in (
        ("the name", [variant.name for variant in variants]),
        ("the overrides", [" ".join(variant.overrides) for variant in variants]),
    ):
        if twice := [value for value, number in Counter(values).items() if number > 1]:
            raise VariantError(f"two variants have {what} '{twice[0]}'; leave one out")
    _check_teachers(variants, is_scaled=is_scaled)
    return variants


def _check_teachers(variants: Sequence[Variant], *, is_scaled: bool) -> None:
    alone = [variant.name for variant in variants if variant.learns_from is None]
    for variant in variants:
        teacher = variant.learns_from
        if teacher is not None and is_scaled:
            raise VariantError(
                f"{variant.name}: its seconds would be those of {{{teacher}}} too; give both a "
                "recipe.scale with --full-length"
            )
        if teacher is not None and teacher not in alone:
            raise VariantError(
                f"{variant.name}: {{{teacher}}} is no variant of this command that trains without "
                f"another; there are: {', '.join(alone) or 'none'}"
            )


def joined(*parts: Sequence[str]) -> tuple[str, ...]:
    """All overrides; of those of one key the ones in the earlier part."""
    found: list[str] = []
    for part in parts:
        taken = set(map(_key, found))
        found += [override for override in part if _key(override) not in taken]
    return tuple(found)


def check_overrides(overrides: Sequence[str], *, where: str, is_scaled: bool) -> None:
    """Checks that overrides are some, and leave alone what is the same for all variants.

    Raises:
        VariantError: If not; ``where`` says whose they are.
    """
    for override in overrides:
        key = _key(override)
        if not key or not ("=" in override or override.startswith("~")):
            raise VariantError(f"{where}: '{override}' is no override; wanted KEY=VALUE")
        if key in _OWN_KEYS or key.startswith(_BELOW):
            raise VariantError(f"{where}: {key} is set by the benchmark itself; leave it out")
        if key == "recipe.scale" and is_scaled:
            raise VariantError(
                f"{where}: recipe.scale follows from --seconds; leave it out, or use --full-length"
            )


def _key(override: str) -> str:
    return override.lstrip("+~").partition("=")[0]
