from datetime import datetime

import pytest

from aerialseg.durations import clock_time, counted, duration, rough_duration

MINUTE, HOUR, DAY = 60, 3600, 86400
TUESDAY = datetime(2024, 3, 5, 14, 30, 10)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (9.4, "9 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (65, "1 min 05 s"),
        (HOUR - 0.6, "59 min 59 s"),
        (HOUR - 0.4, "1 h 00 min"),
        (2 * HOUR + MINUTE, "2 h 01 min"),
        (30 * HOUR, "30 h 00 min"),
    ],
)
def test_a_measured_time_is_exact_to_the_second_below_an_hour(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "0 s"),
        (7.3, "7 s"),
        (41, "40 s"),
        (88, "90 s"),
        (91, "2 min"),
        (200, "3 min"),
        (59.4 * MINUTE, "59 min"),
        (59.6 * MINUTE, "1 h"),
        (2 * HOUR + 11 * MINUTE, "2 h 10 min"),
        (2 * HOUR + 58 * MINUTE, "3 h"),
        (47 * HOUR, "47 h"),
        (47.8 * HOUR, "2 d"),
        (3 * DAY + 5 * HOUR, "3 d 5 h"),
        (26 * DAY, "26 d"),
    ],
)
def test_an_estimated_time_is_rounded(seconds, text):
    assert rough_duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "14:30"),
        (2 * MINUTE, "14:32"),
        (100, "14:32"),  # 14:31:50
        (9 * HOUR, "23:30"),
        (10 * HOUR, "Wed 00:30"),
        (6 * DAY, "Mon 14:30"),
        (7 * DAY, "12 Mar 14:30"),
    ],
)
def test_the_clock_time_includes_the_day_if_it_is_another(seconds, text):
    assert clock_time(seconds, now=TUESDAY) == text


def test_one_is_singular():
    assert [counted(n, "image") for n in (0, 1, 2)] == ["0 images", "1 image", "2 images"]
