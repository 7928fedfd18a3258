"""The range of seeds."""

from typing import Annotated, TypeAlias

from annotated_types import Ge, Le

Seed: TypeAlias = Annotated[int, Ge(0), Le(2**32 - 1)]
"""A seed; numpy's and Lightning's global one have 32 bits."""
