"""Accepted findings: which findings ``waivers.toml`` waives; :mod:`health.waivers.file` reads it.

A waiver is for one finding: code, environment and subject are compared as they stand, without patterns, and the
subject as its source has it: a text that only looks like it when it is shown is another one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from health.finding import Finding
from health.sanitize import did_you_mean, safe_line

# What the suite says of a waiver is mended in the file: it cannot be waived.
OWN_CODES = frozenset({"expired-waiver", "malformed-waiver", "unused-waiver"})


@dataclass(frozen=True)
class Waiver:
    """One accepted finding; ``place`` is where it is written down, ``expires`` the last day on which it holds."""

    place: str
    code: str
    environment: str
    subject: str
    reason: str
    owner: str
    expires: date

    @property
    def accepts(self) -> tuple[str, str, str]:
        """Environment, code and subject of the finding."""
        return self.environment, self.code, self.subject


@dataclass(frozen=True)
class MalformedWaiver:
    """A waiver that waives nothing, as it cannot be understood; ``environment`` is None where that is unclear."""

    place: str
    environment: str | None
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Waivers:
    """The waivers of a file, on the day of the run."""

    file: str = ""
    in_force: tuple[Waiver, ...] = ()
    expired: tuple[Waiver, ...] = ()
    malformed: tuple[MalformedWaiver, ...] = ()

    def of(self, environment: str) -> Waivers:
        """Those that concern an environment; a malformed one of an unclear environment concerns each."""
        return Waivers(
            self.file,
            self._in_force.get(environment, ()),
            self._expired.get(environment, ()),
            tuple(each for each in self.malformed if each.environment in (environment, None)),
        )

    def match(self, environment: str, finding: Finding) -> Waiver | None:
        """The waiver in force for a finding."""
        return self._accepting.get((environment, finding.code, finding.subject))

    @cached_property
    def _in_force(self) -> Mapping[str, tuple[Waiver, ...]]:
        return _by_environment(self.in_force)

    @cached_property
    def _expired(self) -> Mapping[str, tuple[Waiver, ...]]:
        return _by_environment(self.expired)

    @cached_property
    def _accepting(self) -> Mapping[tuple[str, str, str], Waiver]:
        return {waiver.accepts: waiver for waiver in reversed(self.in_force)}  # the first one of several

    def unused(
        self, found: Mapping[str, Sequence[str]], waived: Collection[tuple[str, str]] = frozenset()
    ) -> Iterator[Finding]:
        """A finding for each waiver in force that waives none.

        Args:
            found: of every code that was judged, the subjects that were found, as they are shown.
            waived: code and subject, as it is shown, of each finding that a waiver accepted.
        """
        for waiver in self.in_force:
            if waiver.code not in found or (waiver.code, safe_line(waiver.subject)) in waived:
                continue
            hint = did_you_mean(waiver.subject, found[waiver.code], "")
            yield Finding(
                "unused-waiver",
                waiver.place,
                f"{waiver.code}, {waiver.subject}, was not found{f'; {hint}' if hint else '.'} Owner: {waiver.owner}.",
                {"code": waiver.code, "subject": waiver.subject, "expires": waiver.expires.isoformat()},
            )


def _by_environment(waivers: Iterable[Waiver]) -> dict[str, tuple[Waiver, ...]]:
    groups: dict[str, list[Waiver]] = {}
    for waiver in waivers:
        groups.setdefault(waiver.environment, []).append(waiver)
    return {environment: tuple(group) for environment, group in groups.items()}
