"""Evaluates constant expressions of a configuration file; whatever needs running stays computed."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from health.application.module_scope import WHOLE, Module, Span, words_of
from health.application.settings import Computed, Setting, Text, Variable
from health.sanitize import one_line

_DEEPEST = 40  # nested constants, calls and brackets
_PRISMA = {"prisma/config", "@prisma/config"}
_PATH = {"path", "node:path", "path/posix", "node:path/posix"}
_NAME = re.compile(r"[A-Za-z_$][\w$]*")


@dataclass
class Object:
    """An object literal.

    Attributes:
        values: by key; of a key that stands twice the last one.
        rest: why keys that are not listed may be set all the same; None if they are not.
        line_of: where a key's value begins.
    """

    values: dict[str, Value] = field(default_factory=dict)
    rest: Computed | None = None

    def get(self, key: str) -> Value:
        """The value of a key; computed where a spread may set it."""
        return self.values.get(key, self.rest)


Value = Setting | Object


class Evaluator:
    """Evaluates the expressions of one module.

    Args:
        module: whose.
        directory: of the file, as ``__dirname`` gives it.
        root: where Prisma runs, as ``process.cwd()`` gives it.
    """

    def __init__(self, module: Module, directory: str, root: str) -> None:
        self._module, self._directory, self._root = module, directory, root
        self._depth = 0
        self._assigned = _assigned(module)
        self.for_prisma_8 = False

    def evaluate(self, span: Span) -> Value:
        """The value of an expression."""
        if self._depth >= _DEEPEST:
            return Computed("it is nested too deeply")
        self._depth += 1
        try:
            return self._evaluate(self._bare(span))
        finally:
            self._depth -= 1

    def _bare(self, span: Span) -> Span:
        """The expression without TypeScript's assertions and outer parentheses."""
        module = self._module
        start, end = span
        while True:
            before = start, end
            for place in module.outer(before):
                if place > start and module.text(place) in {"as", "satisfies"} and module.text(place - 1) != ".":
                    end = place
                    break
            while end - start > 1 and module.text(end - 1) == "!":
                end -= 1
            if end - start > 1 and module.text(start) == "(" and module.pairs.get(start) == end - 1:
                start, end = start + 1, end - 1
            if (start, end) == before:
                return before

    def _evaluate(self, span: Span) -> Value:
        module = self._module
        start, end = span
        if start >= end:
            return Computed("an expression is missing")
        if end - start == 1:
            return self._single(span)
        if module.text(start) == "{" and module.pairs.get(start) == end - 1:
            return self._object((start + 1, end - 1))
        for mark, method in (("??", self._fallback), ("||", self._fallback), ("+", self._sum)):
            if len(parts := module.split(span, mark)) > 1:
                return method(parts, span)
        texts = module.texts(span)
        if texts[-1] == ")":
            return self._call(span)
        return self._member(span, texts)

    def _member(self, span: Span, texts: list[str]) -> Value:
        if texts[:3] == ["process", ".", "env"]:
            return self._variable(span, texts)
        if texts == ["import", ".", "meta", ".", "dirname"]:
            return Text(self._directory)
        return self._computed(span)

    def _single(self, span: Span) -> Value:
        token = self._module.tokens[span[0]]
        if token.value is not None:
            return Text(token.value)
        return self._name(token.text, span) if token.kind == "word" else self._computed(span)

    def _computed(self, span: Span) -> Computed:
        module = self._module
        if span[0] < span[1] and module.tokens[span[0]].kind == "template" and span[1] - span[0] == 1:
            return Computed(f"a template string with ${{…}} in line {module.tokens[span[0]].line}")
        source = words_of(module, (span[0], min(span[1], span[0] + 30)))
        return Computed(f"{one_line(source, 60)} in line {module.tokens[span[0]].line}")

    def _object(self, span: Span) -> Object:
        module, made = self._module, Object()
        for start, end in module.split(span, ","):
            if start == end:
                continue
            if module.text(start) == "..." or module.text(start) == "[":
                made.rest = self._computed((start, end))
                made.values = dict.fromkeys(made.values, made.rest)
                continue
            token = module.tokens[start]
            key = token.value if token.value is not None else token.text
            if module.text(start + 1) == ":":
                made.values[key] = self.evaluate((start + 2, end))
            elif end - start == 1 and token.kind == "word":
                made.values[key] = self._name(key, (start, end))
            else:  # a method; of get, set and async the next word is its name
                name = module.text(start + 1) if module.text(start + 1) not in {"(", "<", ""} else key
                made.values[name] = self._computed((start, end))
        return made

    def _fallback(self, parts: Sequence[Span], span: Span) -> Value:
        first = self.evaluate(parts[0])
        return Variable(first.name, fallback=True) if isinstance(first, Variable) else self._computed(span)

    def _sum(self, parts: Sequence[Span], span: Span) -> Value:
        values = [self.evaluate(part) for part in parts]
        texts = [value.text for value in values if isinstance(value, Text)]
        return Text("".join(texts)) if len(texts) == len(values) else self._computed(span)

    def _name(self, name: str, span: Span) -> Value:
        if name == "undefined":
            return None
        if name == "__dirname":
            return Text(self._directory)
        value = self._module.constants.get(name)
        if value is None:
            return self._computed(span)
        found = self.evaluate(value)
        if isinstance(found, Object) and self._module.mentions(name) > 2:  # noqa: PLR2004 - declared, and used once
            return Computed(f"{name} may be changed after line {self._module.tokens[value[0]].line}")
        return found

    def _variable(self, span: Span, texts: list[str]) -> Value:
        name = None
        if len(texts) == 5 and texts[3] in {".", "?."}:  # noqa: PLR2004 - process . env . NAME
            name = texts[4]
        elif len(texts) == 6 and texts[3] == "[":  # noqa: PLR2004 - process . env [ "NAME" ]
            name = self._module.tokens[span[0] + 4].value
        if not name or not _NAME.fullmatch(name):
            return self._computed(span)
        return Computed(f"the file itself sets {name}") if name in self._assigned else Variable(name)

    def _call(self, span: Span) -> Value:
        module = self._module
        opening = module.pairs[span[1] - 1]
        callee = module.texts((span[0], opening))
        if ">" in callee and "<" in callee:  # the types of a generic call
            callee = callee[: callee.index("<")]
        arguments = [part for part in module.split((opening + 1, span[1] - 1), ",") if part[0] < part[1]]
        known = self._known(callee)
        if known in {"defineConfig", "definePrismaConfig"} and len(arguments) == 1:
            self.for_prisma_8 = self.for_prisma_8 or known == "definePrismaConfig"
            return self.evaluate(arguments[0])
        if known == "env" and len(arguments) == 1:
            name = self.evaluate(arguments[0])
            if isinstance(name, Text) and _NAME.fullmatch(name.text):
                return (
                    Computed(f"the file itself sets {name.text}")
                    if name.text in self._assigned
                    else Variable(name.text)
                )
        if known == "String" and len(arguments) == 1:
            return self.evaluate(arguments[0])
        if callee == ["process", ".", "cwd"] and not arguments:
            return Text(self._root)
        if known in {"join", "resolve"}:
            return self._path(known, arguments, span)
        return self._computed(span)

    def _known(self, callee: list[str]) -> str | None:
        """The function of Prisma's or of Node's path that is called; None of any other."""
        module, name = self._module.imports.get(callee[0] if callee else "", ("", ""))
        if callee == ["String"] and not module:
            return "String"
        called = callee[2] if len(callee) == 3 and callee[1] == "." and name == WHOLE else None  # noqa: PLR2004
        called = name if len(callee) == 1 and name != WHOLE else called
        wanted = _PRISMA if called in {"defineConfig", "definePrismaConfig", "env"} else _PATH
        return called if module in wanted else None

    def _path(self, function: str, arguments: Sequence[Span], span: Span) -> Value:
        values = [self.evaluate(argument) for argument in arguments]
        parts = [value.text for value in values if isinstance(value, Text)]
        if len(parts) != len(values):
            return self._computed(span)
        if function == "resolve":
            return Text(posixpath.normpath(posixpath.join(self._root, *parts)))
        return Text(posixpath.normpath("/".join(part for part in parts if part) or "."))


def _assigned(module: Module) -> set[str]:
    """The variables of the environment that the file itself sets."""
    names = set()
    for place, token in enumerate(module.tokens):
        if token.text != "process" or module.texts((place, place + 3)) != ["process", ".", "env"]:
            continue
        named = module.text(place + 3) == "."
        if module.text(place + (5 if named else 6)) in {"=", "??=", "||=", "&&=", "+="}:
            names.add(module.text(place + 4) if named else module.tokens[place + 4].value or "")
    return names
