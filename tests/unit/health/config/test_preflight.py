"""What is missing, as one numbered list."""

from __future__ import annotations

from health.config.preflight import Need, Obstacle, before_this_can_run

CHECKOUT = Obstacle(Need.CHECKOUT, "there is no checkout at /app", "Name it: --app DIR")
LOGIN = Obstacle(Need.LOGIN, "nobody is logged in", "Run aws sso login.")
KEY = Obstacle(Need.KEY, "there is no key at /key", "Put it there: install -m 600 FROM /key")
HOST_KEY = Obstacle(Need.HOST_KEY, "the host key is not known", "ssh-keyscan")


def test_nothing_missing_is_no_text() -> None:
    assert before_this_can_run({"dev": [], "prod": []}) == ""


def test_the_order_is_that_in_which_a_person_provides_it() -> None:
    assert before_this_can_run({"prod": [HOST_KEY, KEY, LOGIN, CHECKOUT]}) == (
        "Before this can run:\n"
        "  1. prod: there is no checkout at /app.\n"
        "     Name it: --app DIR\n"
        "  2. prod: nobody is logged in.\n"
        "     Run aws sso login.\n"
        "  3. prod: there is no key at /key.\n"
        "     Put it there: install -m 600 FROM /key\n"
        "  4. prod: the host key is not known.\n"
        "     ssh-keyscan"
    )


def test_what_stands_before_several_environments_is_told_once() -> None:
    other = Obstacle(Need.LOGIN, "there is no region", "Set region")
    told = before_this_can_run({"dev": [LOGIN], "prod": [LOGIN, KEY], "qa": [other]})
    assert [line for line in told.splitlines() if line[2].isdigit()] == [
        "  1. dev, prod: nobody is logged in.",
        "  2. qa: there is no region.",
        "  3. prod: there is no key at /key.",
    ]


def test_a_name_with_a_line_break_stays_on_its_line() -> None:
    told = before_this_can_run({"prod": [Obstacle(Need.KEY, "no key at /a\n  9. prod: all is well", "Put\nit")]})
    assert len(told.splitlines()) == 3
