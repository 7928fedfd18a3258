"""Comparison of nested plain data and tensors, bit for bit."""

from collections.abc import Iterator
from itertools import zip_longest

import torch

_NOTHING = object()


def same(first: object, second: object) -> bool:
    """Equal in every key, value and bit."""
    return not any(True for _ in differences(first, second))


def differences(first: object, second: object, place: str = "") -> Iterator[str]:
    """Where two values differ, and how; nothing if they are equal in every key, value and bit."""
    if isinstance(first, torch.Tensor) and isinstance(second, torch.Tensor):
        if not torch.equal(first, second):
            yield f"{place}: {_difference_of_tensors(first, second)}"
    elif isinstance(first, dict) and isinstance(second, dict):
        for key in [*first, *(key for key in second if key not in first)]:
            pair = (first.get(key, _NOTHING), second.get(key, _NOTHING))
            yield from differences(*pair, f"{place}.{key}")
    elif isinstance(first, list | tuple) and isinstance(second, list | tuple):
        for index, pair in enumerate(zip_longest(first, second, fillvalue=_NOTHING)):
            yield from differences(*pair, f"{place}[{index}]")
    elif type(first) is not type(second) and torch.Tensor in (type(first), type(second)):
        yield f"{place}: a tensor and a {type(first).__name__}"
    elif first != second:
        yield f"{place}: {first!r} and {second!r}"


def _difference_of_tensors(first: torch.Tensor, second: torch.Tensor) -> str:
    if (first.shape, first.dtype) != (second.shape, second.dtype):
        return f"{first.dtype} {tuple(first.shape)} and {second.dtype} {tuple(second.shape)}"
    distance = (first.double() - second.double()).abs()
    return f"{int((distance > 0).sum())} of {first.numel()} values, by at most {distance.max():.3g}"
