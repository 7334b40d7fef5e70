"""A shell script's lists, `if`, `case`, loops, groups and functions, and what is assigned in them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import pairwise

from health.tunnel.shell.conditions import combined, condition_of
from health.tunnel.shell.frames import CommandList, Frame
from health.tunnel.shell.model import ALWAYS, UNKNOWN, Assignment, Block, Condition, Part
from health.tunnel.shell.words import NAME, Token, element_name, is_text, joined, parts_of, tokens

_ASSIGN = re.compile(rf"({NAME})(?:\[([^\]\s=]*)\])?(\+?)=")
_ELEMENT = re.compile(r"\[([^\]]*)\]=")
_DEFAULT = re.compile(rf"\"?\$\{{({NAME}):?=")
_OPENING = {"if": "if", "case": "case", "{": "{"} | dict.fromkeys(("for", "select", "while", "until"), "loop")
_CLOSING = {"fi": "if", "esac": "case", "}": "{", "done": "loop"}
_DECLARING = frozenset({"export", "local", "readonly", "declare", "typeset"})


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.found: list[Assignment] = []
        root = Block(None, ALWAYS, 0)
        self.frames = [Frame("script", root, root, CommandList())]
        self.open = Counter({"script": 1})
        self.list = CommandList()
        self.last = UNKNOWN  # of the last list: what `then` depends on
        self.at_command = True
        self.declaring = self.testing = self.defining = False
        self.array: str | None = None
        self.keywords: dict[str, Callable[[], None]] = {
            "then": lambda: self._branch("if", self.frames[-1].unseen(self.last)),
            "elif": lambda: self._branch("if", ALWAYS),
            "else": lambda: self._branch("if", UNKNOWN),
            "do": lambda: self._branch("loop", UNKNOWN),
        }

    def read(self) -> list[Assignment]:
        sequence = [*tokens(self.text), Token("\n", len(self.text), True)]
        for token, following in pairwise(sequence):
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

    def _word(self, token: Token) -> None:
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
            self._record(element_name(assigned[1], assigned[2]), token.start, [*added, *parts_of(self.text, at, end)])
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

    def _operator(self, token: Token, following: Token) -> None:
        sign = token.text
        if sign[0] in "<>" or sign.startswith("&>"):
            return
        self.at_command, self.declaring, self.testing = True, False, False
        if sign in {"&&", "||"}:
            self._join(sign)
        elif sign in {"|", "|&"}:
            self.list.term.append(Token("|", token.start, True))
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

    def _parenthesis(self, token: Token, following: Token) -> None:
        last = self.found[-1] if self.found else None
        if last and not last.parts and self.text[last.start : token.start] == f"{last.name}=":
            self.found.pop()
            self.array = last.name
        elif following.operator and following.text == ")":
            self.defining = True
        else:
            self._push("(", self.defining)
            self.defining = False

    def _array_element(self, array: str, token: Token) -> None:
        if element := _ELEMENT.match(token.text):
            at, end = token.start + element.end(), token.start + len(token.text)
            self._record(element_name(array, element[1]), token.start, parts_of(self.text, at, end))
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
        self.list.terms.append((self.list.operator, condition_of(self.text, self.list.term)))
        self.list.term, self.list.operator = [], operator

    def _end_blocks(self) -> None:
        block = self.list.block
        while block is not None and block is not self.frames[-1].block:
            block.end, block = len(self.found), block.parent

    def _end_list(self) -> None:
        if self.list.term or self.list.terms:
            self._end_term("")
            self.last = combined(self.list.terms)
        self._end_blocks()
        self.list = CommandList()

    def _push(self, kind: str, defining: bool) -> None:
        outer = block = self._block()
        if kind in {"{", "("} and defining:
            block = self._new_block(outer, ALWAYS, function=True)
        elif kind == "(":
            # what a subshell assigns is gone after it
            block = self._new_block(outer, UNKNOWN)
        self.frames.append(Frame(kind, outer, block, self.list, "subject" if kind == "case" else "body"))
        self.open[kind] += 1
        self.list, self.last = CommandList(), UNKNOWN

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

    def _close(self, frame: Frame) -> None:
        self._end_list()
        if frame.block is not frame.outer:
            frame.block.end, frame.block = len(self.found), frame.outer

    def _branch(self, kind: str, condition: Condition) -> None:
        frame = self.frames[-1]
        if frame.kind == kind:
            self._close(frame)
            frame.block = frame.outer if condition == ALWAYS else self._new_block(frame.outer, condition)

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

    def _case_head(self, frame: Frame, token: Token) -> None:
        if frame.phase == "subject":
            if token.text == "in" and frame.patterns:
                frame.phase, frame.patterns = "patterns", []
            elif not token.operator:
                frame.patterns.append(token.text)
                frame.case_on(parts_of(self.text, token.start, token.start + len(token.text)))
        elif frame.phase == "extended":
            if token.text == ")":
                frame.phase = "patterns"
        elif not token.operator:
            self._case_pattern(frame, token)
        elif token.text == "(" and frame.patterns:
            # an extended pattern such as !(dev) is not a list of words
            frame.phase, frame.patterns = "extended", ["*("]
        elif token.text == ")":
            frame.block = self._new_block(frame.outer, frame.case_branch())
            frame.phase, self.list, self.at_command = "body", CommandList(), True

    def _case_pattern(self, frame: Frame, token: Token) -> None:
        parts = tuple(parts_of(self.text, token.start, token.start + len(token.text)))
        if token.text == "esac" and not frame.patterns:
            frame.phase = "body"
            self._pop("case")
        else:
            frame.patterns.append(joined(parts) if is_text(parts) else "?")


def read(text: str) -> tuple[list[Assignment], Block]:
    """The assignments of a shell script in the order of its text, and the outermost block; never raises."""
    reader = _Reader(text)
    script = reader.frames[0].block
    return reader.read(), script
