"""The cases of ``tests/cases``, and what is right of each: written by hand, never by a run."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from health.clone.contrib import CONTRIB
from health.clone.server_choice import extensions_made
from plugins.paths import ROOT

PLACE = ROOT / "tests" / "cases"

_OUTCOME = re.compile(r"applies|not foreseen|fails (?P<code>\w{5})(?: in (?P<statement>[A-Z]+))?")
_FAILS = {"pending-migration-fails", "pending-data-violates", "pending-objects-exist"}
_NOT_FORESEEN = {"pending-migration-unforeseen", "pending-data-unasked"}
_FORECASTS = {"pending-will-apply", "pending-data-fits"}


@dataclass(frozen=True)
class Outcome:
    """What becomes of a pending migration: ``applies``, ``not foreseen``, ``fails CODE`` or ``fails CODE in WORD``.

    Attributes:
        text: the same in words.
        code: the SQLSTATE or Prisma's own code; None where it does not fail.
        statement: the first word of the engine's own statement that fails; None where one of the file does.
    """

    text: str
    code: str | None
    statement: str | None

    @classmethod
    def of(cls, text: str) -> Outcome:
        """Take over a value of the table; it fails where that is none."""
        match = _OUTCOME.fullmatch(text)
        assert match is not None, f"{text!r} is no outcome"
        return cls(text, match["code"], match["statement"])


@dataclass(frozen=True)
class Expected:
    """What is right of a case; docs/reference/cases.md says what each key means. None and empty are not compared."""

    verdict: str | None = None
    codes: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    roots: tuple[str, ...] | None = None
    says: tuple[str, ...] = ()
    forecast: Mapping[str, Outcome] = field(default_factory=dict)
    plan: tuple[str, ...] | None = None
    proof: str | None = None

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Expected:
        """Take over a table ``[expected]``; a key that does not exist fails."""
        values: dict[str, Any] = {key: tuple(each) if isinstance(each, list) else each for key, each in told.items()}
        values["forecast"] = {name: Outcome.of(text) for name, text in told.get("forecast", {}).items()}
        return cls(**values)


@dataclass(frozen=True)
class ExpectedCase:
    """A case with what is right of it.

    Attributes:
        open: why the suite does not say yet what is right; None where it does.
    """

    path: Path
    expected: Expected
    open: str | None = None

    @property
    def id(self) -> str:
        """Topic and name."""
        return str(self.path.relative_to(PLACE))

    @property
    def needs_contrib(self) -> bool:
        """Whether its SQL makes extensions that the embedded server has not, and npm's has."""
        made = (
            extensions_made(file.read_text(encoding="utf-8", errors="replace")) for file in self.path.rglob("*.sql")
        )
        return any(CONTRIB & names for names in made)

    def marked(self, *more: object, id: str | None = None) -> Any:  # noqa: A002 - as pytest's own
        """The case as a parameter; one that is open must fail: who makes it right takes the key away."""
        marks = [pytest.mark.xfail(strict=True, raises=AssertionError, reason=self.open)] if self.open else []
        return pytest.param(self, *more, id=self.id if id is None else id, marks=marks)


def read_expected(path: Path) -> ExpectedCase:
    """Read what a case's own file says of it."""
    told = tomllib.loads((path / "case.toml").read_text(encoding="utf-8"))
    return ExpectedCase(path, Expected.of(told.get("expected", {})), told.get("open"))


CASES = [read_expected(file.parent) for file in sorted(PLACE.glob("*/*/case.toml"))]


@dataclass(frozen=True)
class Judged:
    """What a run says of a case: its environment in report.json."""

    environment: Mapping[str, Any]

    @property
    def findings(self) -> list[Mapping[str, Any]]:
        """The findings of all checks."""
        return [finding for check in self.environment["checks"] for finding in check["findings"]]

    def differences(self, expected: Expected) -> list[str]:
        """List where it differs from what is right."""
        known = {name for finding in self.findings for name in _names(finding)}
        text = self._text.casefold()
        return [
            *_unequal("verdict", expected.verdict, self.environment["verdict"]),
            *(f"missing: {code}" for code in expected.codes if code not in known),
            *(f"wrong: {code}" for code in expected.never if code in known),
            *(f"not said: {words}" for words in expected.says if words.casefold() not in text),
            *_unequal("roots", None if expected.roots is None else sorted(expected.roots), self._roots),
            *(line for name, right in expected.forecast.items() for line in self._unforeseen(name, right)),
            *_unequal("plan", None if expected.plan is None else list(expected.plan), self._plan),
            *_unequal("proof", expected.proof, (self.environment["rehearsal"] or {"status": "unproven"})["status"]),
        ]

    @property
    def _text(self) -> str:
        decisions = (fix for each in self.findings for fix in each["fixes"] if fix["kind"] == "decision")
        return "\n".join(
            [
                *(f"{each['message']} {each['no_fix'] or ''}" for each in self.findings),
                *(f"{fix['title']} {fix['body']}" for fix in decisions),
            ]
        )

    @property
    def _roots(self) -> list[str]:
        found = (each for each in self.findings if each["severity"] == "error" and each["explained_by"] is None)
        return sorted(f"{each['code']}:{each['subject']}" for each in found)

    @property
    def _plan(self) -> list[str]:
        """The kinds of the numbered fixes in their order; a deploy is told from other commands."""
        fixes = {fix["order"]: fix for each in self.findings for fix in each["fixes"] if fix["order"] is not None}
        return ["deploy" if fixes[at]["title"].startswith("Deploy") else fixes[at]["kind"] for at in sorted(fixes)]

    def _unforeseen(self, name: str, right: Outcome) -> list[str]:
        """The difference, if any, in what is foreseen of a pending migration."""
        about = [each for each in self.findings if name in (each["evidence"].get("migration"), each["subject"])]
        failing = [each for each in about if each["code"] in _FAILS]
        if failing:
            codes = {each["evidence"].get("sqlstate") for each in failing}
            named = right.code is not None and any(right.code in each["message"] for each in failing)
            agrees, said = right.code in codes or named, f"fails {sorted(map(str, codes))}"
        else:
            unknown = {check["id"] for check in self.environment["checks"] if check["outcome"] == "unknown"}
            open_ = bool(_FORECASTS & unknown) or any(each["code"] in _NOT_FORESEEN for each in about)
            said = "not foreseen" if open_ else "applies"
            agrees = said == right.text
        return [] if agrees else [f"forecast of {name}: {said}, right is: {right.text}"]


def _names(finding: Mapping[str, Any]) -> set[str]:
    """How a case may name a finding: by its code, with its severity, its subject or both."""
    key = f"{finding['code']}:{finding['subject']}"
    return {finding["code"], key, f"{finding['severity']} {finding['code']}", f"{finding['severity']} {key}"}


def _unequal(what: str, right: object, said: object) -> list[str]:
    return [] if right is None or right == said else [f"{what}: {said}, right is: {right}"]
