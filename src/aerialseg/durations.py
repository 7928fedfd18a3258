"""Durations, clock times and counts in words."""

from datetime import datetime, timedelta

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def duration(seconds: float) -> str:
    """A measured time, to the second below an hour: ``9 s``, ``1 min 05 s``, ``2 h 01 min``.

    Args:
        seconds: 0 or more.
    """
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02} min"


def rough_duration(seconds: float) -> str:
    """An estimated time, rounded to its precision: ``40 s``, ``3 min``, ``2 h 10 min``.

    Args:
        seconds: 0 or more.
    """
    if seconds < 1.5 * _MINUTE:
        return f"{_nearest(seconds, 5 if seconds >= 20 else 1)} s"
    if seconds < 59.5 * _MINUTE:
        return f"{_nearest(seconds / _MINUTE, 1)} min"
    step, unit, part, names = (5 * _MINUTE, _HOUR, _MINUTE, ("h", "min"))
    if seconds >= 2 * _DAY - _HOUR / 2:
        step, unit, part, names = (_HOUR, _DAY, _HOUR, ("d", "h"))
    large, small = divmod(_nearest(seconds, step), unit)
    return f"{large} {names[0]} {small // part} {names[1]}" if small else f"{large} {names[0]}"


def clock_time(seconds: float, *, now: datetime) -> str:
    """The clock time ``seconds`` from now: ``14:32``, ``Tue 14:32``, ``12 Mar 14:32``.

    Args:
        seconds: From now on.
        now: The local time; the day is given if it is another one.
    """
    then = now + timedelta(seconds=seconds + _MINUTE / 2)  # to the nearest minute
    days = (then.date() - now.date()).days
    day = "" if days == 0 else f"{then:%a} " if days < 7 else f"{then.day} {then:%b} "
    return f"{day}{then:%H:%M}"


def counted(count: int, noun: str) -> str:
    """A count with its noun: ``1 epoch``, ``2 epochs``, ``2 classes``.

    Args:
        count: 0 or more.
        noun: In the singular, with a plural in -s, or in -es after an s.
    """
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{count} {noun if count == 1 else plural}"


def _nearest(value: float, step: int) -> int:
    return round(value / step) * step
