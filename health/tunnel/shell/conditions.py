"""What must hold for a command to succeed, as far as it compares a variable with words."""

from __future__ import annotations

import re

from health.tunnel.shell.model import UNKNOWN, Condition, Test
from health.tunnel.shell.words import NAME, Token, is_text, joined, parts_of

# ${1:-x} and ${1,,} are still the stage, ${1#local-} is not
TESTED = re.compile(rf"(?:\$\{{)?({NAME}|[0-9]+)(?:(?::?[-?=]|,,).*)?", re.DOTALL)
_JOINS = {"&&": "&&", "-a": "&&", "||": "||", "-o": "||"}
_COMPARISON = 3  # words: left, operator, right


def combined(terms: list[tuple[str, Condition]]) -> Condition:
    """What must hold for `a && b && c` or `a || b || c`; a mixture of both is not understood."""
    operators = {operator for operator, _ in terms[1:]}
    conditions = [condition for _, condition in terms]
    if len(conditions) == 1:
        return conditions[0]
    if operators == {"&&"}:
        tests = [test for condition in conditions for test in condition.tests]
        return Condition(tuple(tests), all(condition.exact for condition in conditions))
    tests = [each.tests[0] for each in conditions if each.exact and len(each.tests) == 1]
    if operators == {"||"} and len(tests) == len(terms) and len({test.variable for test in tests}) == 1:
        words = frozenset(word for test in tests for word in test.words)
        return Condition((Test(tests[0].variable, words),), True)
    return UNKNOWN


def condition_of(text: str, term: list[Token]) -> Condition:
    """What must hold for a command to succeed, as far as it is a [ ... ], [[ ... ]] or test."""
    words = [token.text for token in term if token.text not in {"(", ")", "\\(", "\\)", "\n"}]
    grouped_not = "!" in words and any("(" in token.text for token in term)
    if not words or words[0] not in {"[", "[[", "test"} or "|" in words or grouped_not:
        return UNKNOWN
    terms, comparison, operator = list[tuple[str, Condition]](), list[Token](), ""
    body = [token for token in term[1:] if token.text not in {"(", ")", "\\(", "\\)", "\n", "]", "]]"}]
    for token in body:
        if sign := _JOINS.get(token.text):
            terms.append((operator, _comparison(text, comparison)))
            comparison, operator = [], sign
        else:
            comparison.append(token)
    return combined([*terms, (operator, _comparison(text, comparison))])


def _comparison(text: str, tokens: list[Token]) -> Condition:
    """`"$1" = word`, either way round."""
    if len(tokens) != _COMPARISON or tokens[1].text not in {"=", "=="}:
        return UNKNOWN
    left, right = (tuple(parts_of(text, side.start, side.start + len(side.text))) for side in tokens[::2])
    for variable, word in ((left, right), (right, left)):
        if len(variable) != 1 or variable[0].kind not in {"variable", "expansion"} or not is_text(word):
            continue
        if tested := TESTED.fullmatch(variable[0].text):
            return Condition((Test(tested[1], frozenset({joined(word)})),), True)
    return UNKNOWN
