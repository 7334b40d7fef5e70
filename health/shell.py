"""Which variables a shell script assigns, to what, and under which tests: read tolerantly, never run.

Only as much of the shell's grammar as tells this is known: words and quotes, here-documents, lists,
`if`, `case`, loops, groups and functions. What is not understood is read as a command of no interest.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, NamedTuple


class Part(NamedTuple):
    """A piece of a word: plain text, `$NAME`, `${NAME...}` with more to it, or what only a run can tell."""

    kind: Literal["text", "variable", "expansion", "computed"]
    text: str  # the text, the variable's name, or the source
    start: int  # offset in the script


class Test(NamedTuple):
    """A variable equals one of these words."""

    variable: str
    words: frozenset[str]


class Condition(NamedTuple):
    """What must hold: all of `tests`."""

    tests: tuple[Test, ...]
    exact: bool  # False: something else, which is not understood, must hold as well


UNKNOWN = Condition((), False)
ALWAYS = Condition((), True)


@dataclass(slots=True, eq=False)
class Block:
    """Commands which run under the same condition; `start` and `end` count the script's assignments."""

    parent: Block | None
    condition: Condition
    start: int
    end: int = sys.maxsize
    function: Block | None = None  # the body of the function that it stands in

    def encloses(self, index: int) -> bool:
        """Whether the script's assignment number `index` stands in this block or in one within it."""
        return self.start <= index < self.end


@dataclass(frozen=True, slots=True, eq=False)
class Assignment:
    """`name=value`; an array's element has the name `array[key]`, with nothing for a key that is computed."""

    name: str
    parts: tuple[Part, ...]
    start: int
    block: Block
    index: int


class _Token(NamedTuple):
    text: str
    start: int
    operator: bool


_BLANK = re.compile(r"(?:[ \t\r]|\\\r?\n)+")
_COMMENT = re.compile(r"#[^\n]*")
_OPERATOR = re.compile(r"\n|;;&|;;|;&|;|&&|\|\||\|&?|&?>>?[&|]?|<<<|<<-?|<[&>]?|&|[()]")
_PLAIN = re.compile(r"[^ \t\r\n;&|<>()'\"`$\\]+")
_LINE = re.compile(r"[^\n]*\n?")
_NESTING = re.compile(r"\\.|\$[({]|['\"`(){}]", re.DOTALL)
_PIECE = re.compile(r"[^'\"`$\\]+")
_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_VARIABLE = re.compile(rf"\$(?:({_NAME}|[0-9@*#?!$-])|\{{({_NAME}|[0-9]+)(?:\[([^\]{{}}]*)\])?\}})")
_ASSIGN = re.compile(rf"({_NAME})(?:\[([^\]\s=]*)\])?(\+?)=")
_ELEMENT = re.compile(r"\[([^\]]*)\]=")
_DEFAULT = re.compile(rf"\"?\$\{{({_NAME}):?=")
_OPENS = {"$(": ")", "(": ")", "${": "}", '"': '"', "`": "`"}
# ${1:-x} and ${1,,} are still the stage, ${1#local-} is not
_TESTED = re.compile(rf"(?:\$\{{)?({_NAME}|[0-9]+)(?:(?::?[-?=]|,,).*)?", re.DOTALL)
_GLOB = frozenset("*?[")
_JOINS = {"&&": "&&", "-a": "&&", "||": "||", "-o": "||"}
_COMPARISON = 3  # words: left, operator, right
_OPENING = {"if": "if", "case": "case", "{": "{"} | dict.fromkeys(("for", "select", "while", "until"), "loop")
_CLOSING = {"fi": "if", "esac": "case", "}": "{", "done": "loop"}
_DECLARING = frozenset({"export", "local", "readonly", "declare", "typeset"})


def _after(text: str, at: int, closer: str, end: int) -> int:
    """Where what `closer` ends is over; no recursion, as a script may nest to any depth."""
    waits = [closer]
    while found := _NESTING.search(text, at, end):
        sign, at = found[0], found.end()
        if sign == waits[-1]:
            waits.pop()
            if not waits:
                return at
        elif waits[-1] == "`":
            continue
        elif sign == "'" and waits[-1] == ")":
            at = text.find("'", at, end) + 1 or end
        elif sign in _OPENS and (sign != "(" or waits[-1] == ")"):
            # `"` inside "${X:-"y"}" opens anew; a bare parenthesis counts in a substitution only
            waits.append(_OPENS[sign])
    return end


def _word_end(text: str, at: int) -> int:
    while at < len(text) and text[at] not in " \t\r\n;&|<>()":
        if plain := _PLAIN.match(text, at):
            at = plain.end()
        elif (sign := text[at : at + 2]) in _OPENS:
            at = _after(text, at + 2, _OPENS[sign], len(text))
        elif text[at] in '"`':
            at = _after(text, at + 1, text[at], len(text))
        elif text[at] == "'":
            at = text.find("'", at + 1) + 1 or len(text)
        else:
            at += 2 if text[at] == "\\" else 1
    return min(at, len(text))


def _after_documents(text: str, at: int, marks: Iterable[str]) -> int:
    """Where the here-documents that begin at `at` are over: their lines are text, not commands."""
    for mark in marks:
        while at < len(text) and (line := _LINE.match(text, at)):
            at = line.end()
            if line[0].strip("\t\r\n") == mark:
                break
    return at


def _tokens(text: str) -> Iterator[_Token]:
    at, marks, marks_next = 0, list[str](), False
    while at < len(text):
        if skipped := _BLANK.match(text, at) or _COMMENT.match(text, at):
            at = skipped.end()
            continue
        found = _OPERATOR.match(text, at)
        if found and not text.startswith("((", at):
            yield _Token(found[0], at, True)
            at = found.end()
            if found[0] == "\n":
                at, marks = _after_documents(text, at, marks), []
            marks_next = found[0] in {"<<", "<<-"}
            continue
        # arithmetic, ((...)), is one word of no interest: its << is no here-document
        end = _after(text, at + 1, ")", len(text)) if found else _word_end(text, at)
        if marks_next:
            marks.append(re.sub(r"['\"\\]", "", text[at:end]))
        marks_next = False
        yield _Token(text[at:end], at, False)
        at = end


def _element(base: str, key: str | None) -> str:
    if key is None:
        return base
    key = key.strip("\"'")
    return f"{base}[{'' if set(key) & set('$`') else key}]"


def _parts(text: str, at: int, end: int) -> Iterator[Part]:
    """The pieces of the word at text[at:end], without its quotes."""
    quoted = False
    while at < end:
        start, sign = at, text[at]
        if sign == '"':
            quoted, at = not quoted, at + 1
        elif sign == "'" and not quoted:
            at = min(text.find("'", at + 1, end) + 1 or end, end)
            yield Part("text", text[start + 1 : at - 1], start + 1)
        elif sign == "\\":
            at += 2
            yield Part("text", text[start + 1 : at].strip("\n"), start + 1)
        elif variable := _VARIABLE.match(text, at, end):
            at = variable.end()
            yield Part("variable", _element(variable[1] or variable[2], variable[3]), start)
        elif text.startswith(("${", "$("), at) or sign == "`":
            opener = sign if sign == "`" else text[at : at + 2]
            at = _after(text, at + len(opener), _OPENS[opener], end)
            yield Part("expansion" if opener == "${" else "computed", text[start:at], start)
        elif sign == "$":
            at += 1
            yield Part("computed", sign, start)
        else:
            at = piece.end() if (piece := _PIECE.match(text, at, end)) else at + 1
            yield Part("text", text[start:at], start)


def _combined(terms: list[tuple[str, Condition]]) -> Condition:
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


def _condition(text: str, term: list[_Token]) -> Condition:
    """What must hold for a command to succeed, as far as it is a [ ... ], [[ ... ]] or test."""
    words = [token.text for token in term if token.text not in {"(", ")", "\\(", "\\)", "\n"}]
    grouped_not = "!" in words and any("(" in token.text for token in term)
    if not words or words[0] not in {"[", "[[", "test"} or "|" in words or grouped_not:
        return UNKNOWN
    terms, comparison, operator = list[tuple[str, Condition]](), list[_Token](), ""
    body = [token for token in term[1:] if token.text not in {"(", ")", "\\(", "\\)", "\n", "]", "]]"}]
    for token in body:
        if sign := _JOINS.get(token.text):
            terms.append((operator, _comparison(text, comparison)))
            comparison, operator = [], sign
        else:
            comparison.append(token)
    return _combined([*terms, (operator, _comparison(text, comparison))])


def _comparison(text: str, tokens: list[_Token]) -> Condition:
    """`"$1" = word`, either way round."""
    if len(tokens) != _COMPARISON or tokens[1].text not in {"=", "=="}:
        return UNKNOWN
    left, right = (tuple(_parts(text, side.start, side.start + len(side.text))) for side in tokens[::2])
    for variable, word in ((left, right), (right, left)):
        if len(variable) != 1 or variable[0].kind not in {"variable", "expansion"} or not _is_text(word):
            continue
        if tested := _TESTED.fullmatch(variable[0].text):
            return Condition((Test(tested[1], frozenset({_joined(word)})),), True)
    return UNKNOWN


def _is_text(parts: Iterable[Part]) -> bool:
    return all(part.kind == "text" for part in parts)


def _joined(parts: Iterable[Part]) -> str:
    return "".join(part.text for part in parts)


@dataclass(slots=True)
class _List:
    """Commands joined by && and ||, as far as they are read."""

    terms: list[tuple[str, Condition]] = field(default_factory=list)
    term: list[_Token] = field(default_factory=list)
    operator: str = ""
    sure: bool = True  # False after a ||: which commands have succeeded cannot be told
    block: Block | None = None  # of the command being read, if it depends on those before it


@dataclass(slots=True)
class _Frame:
    """A compound command that is open."""

    kind: str
    outer: Block
    block: Block
    within: _List
    phase: Literal["subject", "patterns", "extended", "body"] = "body"
    patterns: list[str] = field(default_factory=list)
    variable: str = ""  # which the branches are about
    seen: set[str] = field(default_factory=set)  # words of it for which an earlier branch runs
    sure: bool = True  # False: an earlier branch may run for other words too


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.found: list[Assignment] = []
        root = Block(None, ALWAYS, 0)
        self.frames = [_Frame("script", root, root, _List())]
        self.open = Counter({"script": 1})
        self.list = _List()
        self.last = UNKNOWN  # of the last list: what `then` depends on
        self.at_command = True
        self.declaring = self.testing = self.defining = False
        self.array: str | None = None
        self.keywords: dict[str, Callable[[], None]] = {
            "then": lambda: self._branch("if", self._unseen(self.last)),
            "elif": lambda: self._branch("if", ALWAYS),
            "else": lambda: self._branch("if", UNKNOWN),
            "do": lambda: self._branch("loop", UNKNOWN),
        }

    def read(self) -> list[Assignment]:
        tokens = [*_tokens(self.text), _Token("\n", len(self.text), True)]
        for token, following in pairwise(tokens):
            if self.frames[-1].phase != "body":
                self._case_head(self.frames[-1], token)
            elif self.testing and token.text != ";":
                self.list.term.append(token)
                self.testing = token.text != "]]"
            elif self.array is not None:
                self._array_element(self.array, token)
            elif token.operator:
                self._operator(token, following)
            else:
                self._word(token)
        return self.found

    def _block(self) -> Block:
        return self.list.block or self.frames[-1].block

    def _new_block(self, parent: Block, condition: Condition, function: bool = False) -> Block:
        block = Block(parent, condition, len(self.found), function=parent.function)
        if function:
            block.function = block
        return block

    def _record(self, name: str, start: int, parts: Iterable[Part]) -> None:
        self.found.append(Assignment(name, tuple(parts), start, self._block(), len(self.found)))

    def _word(self, token: _Token) -> None:
        word, term = token.text, self.list.term
        term.append(token)
        defining, self.defining = self.defining, False
        if default := _DEFAULT.match(word):
            self._record(default[1], token.start, [Part("expansion", word, token.start)])
        if not self.at_command:
            return
        if term[0].text == "function" and len(term) == len(("function", "its name")):
            self.defining = True
        elif assigned := _ASSIGN.match(word):
            at, end = token.start + assigned.end(), token.start + len(word)
            added = [Part("computed", "+=", at)] if assigned[3] else []
            self._record(_element(assigned[1], assigned[2]), token.start, [*added, *_parts(self.text, at, end)])
        elif self.declaring or word in _DECLARING:
            self.declaring = True
        elif word in _OPENING:
            self._push(_OPENING[word], defining)
        elif word in _CLOSING:
            self._pop(_CLOSING[word])
        elif word in self.keywords:
            self.keywords[word]()
        elif word not in {"!", "time", "function"}:
            self.at_command, self.testing = False, word == "[["

    def _operator(self, token: _Token, following: _Token) -> None:
        sign = token.text
        if sign[0] in "<>" or sign.startswith("&>"):
            return
        self.at_command, self.declaring, self.testing = True, False, False
        if sign in {"&&", "||"}:
            self._join(sign)
        elif sign in {"|", "|&"}:
            self.list.term.append(_Token("|", token.start, True))
        elif sign == "(":
            self._parenthesis(token, following)
        elif sign == ")":
            # the parentheses in a function's head open nothing
            if not self.defining:
                self._pop("(")
        elif sign in {";;", ";&", ";;&"}:
            self._end_branch(sign)
        elif self.list.term or sign != "\n":
            # a newline right after && or || does not end the list
            self._end_list()

    def _parenthesis(self, token: _Token, following: _Token) -> None:
        last = self.found[-1] if self.found else None
        if last and not last.parts and self.text[last.start : token.start] == f"{last.name}=":
            self.found.pop()
            self.array = last.name
        elif following.operator and following.text == ")":
            self.defining = True
        else:
            self._push("(", self.defining)
            self.defining = False

    def _array_element(self, array: str, token: _Token) -> None:
        if element := _ELEMENT.match(token.text):
            at, end = token.start + element.end(), token.start + len(token.text)
            self._record(_element(array, element[1]), token.start, _parts(self.text, at, end))
        elif not token.operator:
            self._record(array, token.start, [Part("computed", token.text, token.start)])
        elif token.text == ")":
            self.array = None

    def _join(self, sign: str) -> None:
        self._end_term(sign)
        self.list.sure = self.list.sure and sign == "&&"
        if self.list.sure:
            self.list.block = self._new_block(self._block(), self.list.terms[-1][1])
        else:
            self._end_blocks()
            self.list.block = self._new_block(self.frames[-1].block, UNKNOWN)

    def _end_term(self, operator: str) -> None:
        self.list.terms.append((self.list.operator, _condition(self.text, self.list.term)))
        self.list.term, self.list.operator = [], operator

    def _end_blocks(self) -> None:
        block = self.list.block
        while block is not None and block is not self.frames[-1].block:
            block.end, block = len(self.found), block.parent

    def _end_list(self) -> None:
        if self.list.term or self.list.terms:
            self._end_term("")
            self.last = _combined(self.list.terms)
        self._end_blocks()
        self.list = _List()

    def _push(self, kind: str, defining: bool) -> None:
        outer = block = self._block()
        if kind in {"{", "("} and defining:
            block = self._new_block(outer, ALWAYS, function=True)
        elif kind == "(":
            # what a subshell assigns is gone after it
            block = self._new_block(outer, UNKNOWN)
        self.frames.append(_Frame(kind, outer, block, self.list, "subject" if kind == "case" else "body"))
        self.open[kind] += 1
        self.list, self.last = _List(), UNKNOWN

    def _pop(self, kind: str) -> None:
        """Close the innermost command of this kind, and whatever was left open in it."""
        self.at_command = False
        while self.open[kind]:
            frame = self.frames[-1]
            self._close(frame)
            self.frames.pop()
            self.open[frame.kind] -= 1
            self.list = frame.within
            if frame.kind == kind:
                return

    def _close(self, frame: _Frame) -> None:
        self._end_list()
        if frame.block is not frame.outer:
            frame.block.end, frame.block = len(self.found), frame.outer

    def _branch(self, kind: str, condition: Condition) -> None:
        frame = self.frames[-1]
        if frame.kind == kind:
            self._close(frame)
            frame.block = frame.outer if condition == ALWAYS else self._new_block(frame.outer, condition)

    def _unseen(self, condition: Condition) -> Condition:
        """The condition without the words for which an earlier branch of the same command runs."""
        frame = self.frames[-1]
        frame.variable = frame.variable or "".join(test.variable for test in condition.tests[:1])
        own = [test for test in condition.tests if test.variable == frame.variable]
        tests = tuple(
            Test(variable, words - frame.seen if variable == frame.variable else words)
            for variable, words in condition.tests
        )
        unseen = Condition(tests, condition.exact and frame.sure)
        if condition.exact and len(own) == len(condition.tests) == 1:
            frame.seen |= own[0].words
        else:
            frame.sure = False
        return unseen

    def _end_branch(self, sign: str) -> None:
        while self.open["case"] and self.frames[-1].kind != "case":
            self._pop(self.frames[-1].kind)
        frame = self.frames[-1]
        if frame.kind != "case":
            return
        if sign != ";;":
            # the branches after this one may run as well: for which words is not followed
            frame.block.condition = UNKNOWN
            frame.seen.add("*")
        self._close(frame)
        frame.phase, frame.patterns = "patterns", []

    def _case_head(self, frame: _Frame, token: _Token) -> None:
        if frame.phase == "subject":
            if token.text == "in" and frame.patterns:
                frame.phase, frame.patterns = "patterns", []
            elif not token.operator:
                self._case_subject(frame, token)
        elif frame.phase == "extended":
            if token.text == ")":
                frame.phase = "patterns"
        elif not token.operator:
            self._case_pattern(frame, token)
        elif token.text == "(" and frame.patterns:
            # an extended pattern such as !(dev) is not a list of words
            frame.phase, frame.patterns = "extended", ["*("]
        elif token.text == ")":
            self._case_branch(frame)
            frame.phase, self.list, self.at_command = "body", _List(), True

    def _case_subject(self, frame: _Frame, token: _Token) -> None:
        frame.patterns.append(token.text)
        for part in _parts(self.text, token.start, token.start + len(token.text)):
            if part.kind == "expansion" and not _TESTED.fullmatch(part.text):
                # of a part of the stage's name nothing is known, as after a *
                frame.seen.add("*")

    def _case_branch(self, frame: _Frame) -> None:
        # a branch with a pattern such as d* or * runs for more words than it names
        known = "*" not in frame.seen and not any(set(each) & _GLOB for each in frame.patterns)
        test = Test("", frozenset(frame.patterns) - frame.seen)
        frame.block = self._new_block(frame.outer, Condition((test,), frame.sure) if known else UNKNOWN)
        frame.seen.update(frame.patterns)
        frame.sure = frame.sure and known

    def _case_pattern(self, frame: _Frame, token: _Token) -> None:
        parts = tuple(_parts(self.text, token.start, token.start + len(token.text)))
        if token.text == "esac" and not frame.patterns:
            frame.phase = "body"
            self._pop("case")
        else:
            frame.patterns.append(_joined(parts) if _is_text(parts) else "?")


def read(text: str) -> tuple[list[Assignment], Block]:
    """The assignments of a shell script in the order of its text, and the outermost block; never raises."""
    reader = _Reader(text)
    script = reader.frames[0].block
    return reader.read(), script
