"""Measures what hiding costs: a text of twice the length, and fifty secrets in place of one, as ratios.

``python -m bench.redaction``; the ratios hardly depend on the machine: about 2 for the length, less than 2 for secrets.
"""

from __future__ import annotations

import secrets
import time

from health.secrets.secret import Searcher

LINE = 'E   + refused: postgresql://ann@host:5432/d?x=%2F … and "that"... 12345 f00dcafe\n'
LINES, ROUNDS = 2_000, 5


def searcher(number: int) -> Searcher:
    """Make a searcher that has taken in so many secrets."""
    made = Searcher()
    for _ in range(number):
        made.add(secrets.token_urlsafe(18))
    made.hide("the forms are made here...")
    return made


def seconds(made: Searcher, lines: int) -> float:
    """Measure the best of some rounds of processor time."""
    text, best = LINE * lines, float("inf")
    for _ in range(ROUNDS):
        begun = time.process_time()
        made.hide(text)
        best = min(best, time.process_time() - begun)
    return best


def main() -> None:
    """Print the ratios."""
    one, fifty = searcher(1), searcher(50)
    base = seconds(fifty, LINES)
    print(f"{base * 1e9 / len(LINE * LINES):.0f} ns a character with 50 secrets")
    print(f"twice the text: {seconds(fifty, 2 * LINES) / base:.2f} times")
    print(f"50 secrets in place of 1: {base / seconds(one, LINES):.2f} times")


if __name__ == "__main__":
    main()
