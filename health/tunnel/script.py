"""Which cluster endpoint and which bastion a team's tunnel script names for each stage.

A value that cannot be attributed to a stage is said to be so and never guessed.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from health.tunnel.shell import Assignment, Block, Part, read
from health.tunnel.variable_names import HostKind, StageNames

_HOST = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_ONE_HOST = re.compile(_HOST)
_VALUE = re.compile(rf"(?:[A-Za-z0-9._+-]+@)?({_HOST})(?::[0-9]+)?")

_NO_STAGE = "neither its name nor a branch around it says which stage it is for"
_TWO_STAGES = "its name and the branches around it name different stages"
_COMPUTED = "its value is computed when the script runs"
_EMPTY = ""  # no reason to say anything: it names no host
_NOT_PLAIN = "its value is not one plain host name or address"


@dataclass(frozen=True)
class ScriptValue:
    """One host that the script names.

    Attributes:
        kind: what the host is.
        stages: the stages for which the script uses it, sorted; more than one if they share the literal.
        host: the host alone, without ``user@`` and ``:port``.
        literal: the value as the script has it, without quotes.
        line: of the literal, from 1; not that of an assignment which only refers to it.
        start: offset of the host in the script's text.
    """

    kind: HostKind
    stages: tuple[str, ...]
    host: str
    literal: str
    line: int
    start: int = field(default=-1, repr=False, compare=False)


@dataclass(frozen=True)
class Unattributed:
    """An assignment whose stage or value cannot be told; ``reason`` never quotes the value."""

    kind: HostKind
    name: str
    line: int
    reason: str


@dataclass(frozen=True)
class TunnelScript:
    """What a tunnel script says, in the order of its text."""

    path: str
    text: str = field(repr=False)
    values: tuple[ScriptValue, ...]
    unattributed: tuple[Unattributed, ...]

    def value(self, kind: HostKind, stage: str) -> ScriptValue | None:
        """The host for a stage; the first, where the script has the same host in several places."""
        return next((value for value in self.values if value.kind == kind and stage in value.stages), None)

    def with_host(self, value: ScriptValue, host: str) -> str:
        """The script's text with this one literal's host replaced, and everything else byte for byte.

        Raises:
            ValueError: ``host`` is no plain host name or address, or ``value`` is of another script.
        """
        if not _ONE_HOST.fullmatch(host):
            # it becomes a part of a shell script: nothing that the shell could act on may get in
            raise ValueError(f"{host!r} is not a plain host name or address; {self.path} stays as it is.")
        end = value.start + len(value.host)
        if value.start < 0 or self.text[value.start : end] != value.host:
            raise ValueError(f"{self.path} does not have {value.host!r} there; take the value from this script.")
        return self.text[: value.start] + host + self.text[end:]


def parse(path: str, text: str, stages: Collection[str]) -> TunnelScript:
    """Read a tunnel script; any text can be read.

    Args:
        path: where the script stands, for messages.
        text: the script.
        stages: the known stages. Patterns and conditions must have them as they are; in a variable's name
            case does not matter, nor whether it is ``-`` or ``_``.
    """
    return _Script(path, text, stages).read()


@dataclass(frozen=True)
class _Host:
    """A host that stands in the script."""

    host: str
    literal: str
    start: int


@dataclass(frozen=True, eq=False)
class _Holder:
    """An assignment to a variable that holds a host."""

    kind: HostKind
    stages: frozenset[str] | None  # None: no stage is named
    assignment: Assignment
    value: _Host | str  # or the reason why it cannot be told
    reach: int  # number of the first assignment that this one is sure to overwrite, if it is of its stages
    keeps: bool  # its value refers to the variable's earlier one


class _Script:
    def __init__(self, path: str, text: str, stages: Collection[str]) -> None:
        self.path, self.text = path, text
        self.stages = frozenset(stages)
        self.names = StageNames(stages)
        self.lines = [found.start() for found in re.finditer(r"\n", text)]
        self.assignments, self.script = read(text)
        self.times = Counter(assignment.name for assignment in self.assignments)
        self.arrays = {assignment.name.partition("[")[0] for assignment in self.assignments}
        self.scopes: dict[Block, tuple[frozenset[str] | None, int]] = {}
        self.unattributed: dict[Unattributed, int] = {}  # with the offset of the assignment

    def read(self) -> TunnelScript:
        holders = list(self._holders())
        candidates: dict[tuple[HostKind, str], list[_Holder]] = defaultdict(list)
        for stage in sorted(self.stages):
            for holder in self._standing(holders, stage):
                candidates[holder.kind, stage].append(holder)
        for holder in holders:
            if not holder.stages:
                reason = _NO_STAGE if holder.stages is None else _TWO_STAGES
                self._leave(holder, holder.value if isinstance(holder.value, str) else reason)
        values = tuple(self._values(candidates))
        unattributed = sorted(self.unattributed, key=self.unattributed.__getitem__)
        return TunnelScript(self.path, self.text, values, tuple(unattributed))

    def _line(self, offset: int) -> int:
        return bisect_right(self.lines, offset - 1) + 1

    def _leave(self, holder: _Holder, reason: str) -> None:
        if holder.value == _EMPTY:
            return
        start = holder.assignment.start
        left = Unattributed(holder.kind, holder.assignment.name, self._line(start), reason)
        self.unattributed.setdefault(left, start)

    def _scope(self, block: Block) -> tuple[frozenset[str] | None, int]:
        """The stages for which a block runs, and where the part starts of which it is as sure to run."""
        around = [block]
        while (parent := around[-1].parent) and around[-1] not in self.scopes:
            around.append(parent)
        for each in reversed(around):
            if each in self.scopes:
                continue
            stages, reach = self.scopes[each.parent] if each.parent else (None, 0)
            tests = [known for test in each.condition.tests if (known := test.words & self.stages)]
            for known in tests:
                stages = known if stages is None else stages & known
            sure = each.condition.exact and len(tests) == len(each.condition.tests)
            self.scopes[each] = stages, reach if sure and each.function is not each else each.start
        return self.scopes[block]

    def _holders(self) -> Iterator[_Holder]:
        before: dict[str, tuple[Assignment, _Host | str]] = {}
        for assignment in self.assignments:
            value = self._value(assignment, before)
            before[assignment.name] = assignment, value
            kind, named = self.names.of(assignment.name)
            if kind is None:
                continue
            around, reach = self._scope(assignment.block)
            stages = around
            if named:
                stages = named if len(named) == 1 else frozenset()
                stages = stages if around is None else stages & around
            if stages is None and self._is_alias(kind, assignment):
                continue
            keeps = any(part.kind != "text" and assignment.name in part.text for part in assignment.parts)
            yield _Holder(kind, stages, assignment, value, reach, keeps)

    def _is_alias(self, kind: HostKind, assignment: Assignment) -> bool:
        """Whether it only hands on what another variable of the script holds, which is judged there."""
        parts = _host_parts(assignment.parts)
        base = parts[0].text.partition("[")[0] if parts and parts[0].kind == "variable" else ""
        return len(parts) == 1 and base in self.arrays and self.names.of(base)[0] == kind

    def _value(self, assignment: Assignment, before: dict[str, tuple[Assignment, _Host | str]]) -> _Host | str:
        parts = _host_parts(assignment.parts)
        if all(part.kind == "text" for part in parts):
            return self._host(parts)
        if len(parts) != 1 or parts[0].kind != "variable":
            return _COMPUTED
        name = parts[0].text
        if name not in before:
            return f"its value comes from ${name}, which the script does not set before"
        source, value = before[name]
        scope = source.block
        if scope.function is assignment.block.function:
            known = scope.encloses(assignment.index)
        else:
            # a function runs later than it stands: only what never changes is known in it
            known = self.times[name] == 1 and scope in {scope.function, self.script}
        return value if known else f"its value comes from ${name}, which may have several values"

    def _host(self, parts: list[Part]) -> _Host | str:
        literal = "".join(part.text for part in parts)
        if not literal:
            return _EMPTY
        start = parts[0].start
        found = _VALUE.fullmatch(literal)
        if found is None or not self.text.startswith(literal, start):
            return _NOT_PLAIN
        return _Host(found[1], literal, start + found.start(1))

    def _standing(self, holders: list[_Holder], stage: str) -> Iterator[_Holder]:
        """The assignments for a stage which no later one of the same variable overwrites, last to first."""
        overwriting: dict[tuple[str, Block | None], _Holder] = {}
        for holder in reversed(holders):
            if holder.stages is not None and stage not in holder.stages:
                continue
            variable = holder.assignment.name, holder.assignment.block.function
            later = overwriting.get(variable)
            if holder.stages is not None:
                if later is None or later.reach > holder.assignment.index:
                    yield holder
                elif later.stages is None:
                    line = self._line(later.assignment.start)
                    self._leave(holder, f"line {line} overwrites it, whatever the stage")
            if not holder.keeps and (later is None or holder.reach < later.reach):
                overwriting[variable] = holder

    def _values(self, candidates: dict[tuple[HostKind, str], list[_Holder]]) -> Iterator[ScriptValue]:
        stages: dict[tuple[HostKind, _Host], set[str]] = defaultdict(set)
        for (kind, stage), holders in candidates.items():
            hosts = {holder.value.host: holder for holder in holders if isinstance(holder.value, _Host)}
            for holder in holders:
                if isinstance(holder.value, str):
                    self._leave(holder, holder.value)
                elif len(hosts) > 1:
                    self._leave(holder, f"{stage} is given {len(hosts)} different hosts")
                else:
                    stages[kind, holder.value].add(stage)
        for (kind, value), used in sorted(stages.items(), key=lambda item: item[0][1].start):
            line = self._line(value.start)
            yield ScriptValue(kind, tuple(sorted(used)), value.host, value.literal, line, value.start)


def _host_parts(parts: Iterable[Part]) -> list[Part]:
    """The parts of `user@host:port` which make the host; text without variables stays whole."""
    pieces = [part for part in parts if part.text]
    if all(part.kind == "text" for part in pieces):
        return pieces
    for number, piece in reversed(list(enumerate(pieces))):
        if piece.kind == "text" and "@" in piece.text:
            after = piece.text.rindex("@") + 1
            pieces[: number + 1] = [Part("text", piece.text[after:], piece.start + after)]
            break
    for number, piece in enumerate(pieces):
        if piece.kind == "text" and ":" in piece.text:
            pieces[number:] = [Part("text", piece.text[: piece.text.index(":")], piece.start)]
            break
    return [piece for piece in pieces if piece.text]
