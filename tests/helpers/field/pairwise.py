"""Combinations of values in which every two values meet."""

import random
from collections.abc import Callable, Iterable, Mapping
from itertools import combinations

Combination = dict[str, str]
"""By axis, one of its values."""
Choice = tuple[str, str]
"""An axis and one of its values."""

_CANDIDATES = 3
"""How many combinations are compared for each that is taken."""
_TRIES = 40
"""How often a completion of a pair is looked for before the pair counts as impossible."""


def pairs_of(combination: Mapping[str, str]) -> set[frozenset[Choice]]:
    """The pairs of values that a combination has."""
    return {frozenset(pair) for pair in combinations(combination.items(), 2)}


def covering(
    axes: Mapping[str, Iterable[str]],
    is_allowed: Callable[..., bool],
    *,
    seed: int,
    met: Iterable[Combination] = (),
) -> list[Combination]:
    """Combinations that have every pair of values which an allowed combination can have.

    Args:
        axes: The values by axis.
        is_allowed: Says of a combination, or of a part of one, whether it may be used; what it
            allows of a part it need not allow of the whole. It may also be given the axis that
            was added last to what it has allowed.
        seed: Decides the order, and between values that serve equally well.
        met: Combinations whose pairs need not be met again.
    """
    dice = random.Random(seed)
    choices = {axis: [(axis, value) for value in values] for axis, values in axes.items()}
    fitting: dict[Choice, set[Choice]] = {each: set() for all_ in choices.values() for each in all_}
    for first, second in combinations(choices, 2):
        for one in choices[first]:
            for other in choices[second]:
                if is_allowed(dict((one, other))):
                    fitting[one].add(other)
                    fitting[other].add(one)
    wanted = {choice: set(others) for choice, others in fitting.items()}
    for combination in met:
        _meet(combination.items(), wanted)
    found = []
    while start := _most_wanted(wanted):
        made = [
            _completed(start, choices, fitting, wanted, is_allowed, dice)
            for _ in range(_CANDIDATES)
        ]
        if not (whole := [set(chosen.items()) for chosen in made if chosen is not None]):
            _meet(start, wanted)  # as no combination has it
            continue
        best = max(whole, key=lambda chosen: sum(len(wanted[each] & chosen) for each in chosen))
        found.append({axis: dict(best)[axis] for axis in choices})
        _meet(best, wanted)
    return found


def _most_wanted(wanted: Mapping[Choice, set[Choice]]) -> tuple[Choice, Choice] | None:
    """A pair that is to be met, of the choice that lacks most; None if there is none."""
    one = max(wanted, key=lambda each: len(wanted[each]))
    if not wanted[one]:
        return None
    return one, max(sorted(wanted[one]), key=lambda each: len(wanted[each]))


def drawn(
    axes: Mapping[str, Iterable[str]],
    is_allowed: Callable[..., bool],
    count: int,
    *,
    seed: int,
) -> list[Combination]:
    """Allowed combinations at random, which takes less time than those with all pairs."""
    dice = random.Random(seed)
    found: list[Combination] = []
    while len(found) < count:
        chosen: Combination = {}
        for axis in dice.sample(list(axes), len(axes)):
            options = [v for v in axes[axis] if is_allowed({**chosen, axis: v}, axis)]
            if not options:
                break
            chosen[axis] = dice.choice(options)
        else:
            found.append({axis: chosen[axis] for axis in axes})
    return found


def _meet(chosen: Iterable[Choice], wanted: dict[Choice, set[Choice]]) -> None:
    chosen = set(chosen)
    for choice in chosen:
        wanted[choice] -= chosen


def _completed(
    start: Iterable[Choice],
    choices: Mapping[str, list[Choice]],
    fitting: Mapping[Choice, set[Choice]],
    wanted: Mapping[Choice, set[Choice]],
    is_allowed: Callable[..., bool],
    dice: random.Random,
) -> Combination | None:
    """An allowed combination with what is in ``start`` and many wanted pairs; None for none."""
    for attempt in range(_TRIES):
        chosen = set(start)
        for axis in dice.sample(list(choices), len(choices)):
            if any(axis == other for other, _ in chosen):
                continue
            options = [each for each in choices[axis] if chosen <= fitting[each]]
            dice.shuffle(options)
            if attempt == 0:  # where choosing well has led nowhere, chance may lead somewhere
                options.sort(key=lambda each: -len(wanted[each] & chosen))
            fits = (each for each in options if is_allowed(dict(chosen | {each}), axis))
            best = next(fits, None)
            if best is None:
                break
            chosen.add(best)
        else:
            return dict(chosen)
    return None
