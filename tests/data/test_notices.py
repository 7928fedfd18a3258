import logging

from aerialseg.data.notices import say_once, silent

logger = logging.getLogger("aerialseg.data.test")


def test_a_line_is_logged_once(caplog):
    caplog.set_level(logging.INFO)
    for text in ("one %s", "two", "one %s"):
        say_once(logger, logging.INFO, text)
    say_once(logger, logging.WARNING, "two")
    assert caplog.messages == ["one %s", "two", "two"]


def test_what_nobody_could_see_is_said_the_next_time(caplog):
    caplog.set_level(logging.WARNING)
    say_once(logger, logging.INFO, "hidden at first")
    caplog.set_level(logging.INFO)
    say_once(logger, logging.INFO, "hidden at first")
    assert caplog.messages == ["hidden at first"]


def test_silent_lines_are_left_out_and_may_be_said_later(caplog):
    caplog.set_level(logging.INFO)
    with silent():
        say_once(logger, logging.INFO, "told otherwise")
    assert caplog.messages == []
    say_once(logger, logging.INFO, "told otherwise")
    assert caplog.messages == ["told otherwise"]
