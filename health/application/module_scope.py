"""What the names of a JavaScript or TypeScript module stand for: imports, requires, and constants at its top."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from health.application.javascript import Token, brackets, tokens

WHOLE = "*"  # of an import: the module itself, or its default
_GOES_ON = {"as", "satisfies", "in", "instanceof"}
_NAMED_PAIR = 3  # tokens of ``name as other`` and ``name: other``

Span = tuple[int, int]  # a range of tokens


@dataclass
class Module:
    """The tokens of a module, and what stands at its top.

    Attributes:
        imports: local name → the module and the name there, or WHOLE.
        loaded: all modules that it imports.
        constants: the name of a constant → the tokens of its value.
        exported: the tokens of each default export, or of what is assigned to ``module.exports``, once for each
            mention of ``exports``.
    """

    tokens: tuple[Token, ...]
    pairs: dict[int, int]
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)
    loaded: set[str] = field(default_factory=set)
    constants: dict[str, Span] = field(default_factory=dict)
    exported: list[Span] = field(default_factory=list)

    def text(self, place: int) -> str:
        """The text of a token; empty behind the last one, and of strings."""
        inside = 0 <= place < len(self.tokens) and self.tokens[place].kind in {"word", "mark"}
        return self.tokens[place].text if inside else ""

    def texts(self, span: Span) -> list[str]:
        """The texts of some tokens."""
        return [self.text(place) for place in range(*span)]

    def outer(self, span: Span) -> Iterator[int]:
        """The places of the tokens that stand in no bracket opened within the span; of brackets the opening one."""
        place, end = span
        while place < end:
            yield place
            place = self.pairs.get(place, place) + 1 if self.text(place) in {"(", "[", "{"} else place + 1

    def split(self, span: Span, mark: str) -> list[Span]:
        """The parts of a span between outer marks."""
        places = [place for place in self.outer(span) if self.text(place) == mark]
        starts, ends = [span[0], *(place + 1 for place in places)], [*places, span[1]]
        return list(zip(starts, ends, strict=True))

    def mentions(self, name: str) -> int:
        """How often a name is used that is no property's."""
        return sum(
            token.text == name and token.kind == "word" and self.text(place - 1) not in {".", "?."}
            for place, token in enumerate(self.tokens)
        )


def read_module(text: str) -> Module:
    """Read a module.

    Raises:
        SourceError: it cannot be split into tokens, or its brackets do not balance.
    """
    sequence = tokens(text)
    module = Module(sequence, brackets(sequence))
    for place in module.outer((0, len(sequence))):
        texts = module.texts((place, place + 3))
        if texts[0] == "import" and texts[1] not in {"(", "."}:
            _import(module, place)
        elif texts[0] == "const":
            _constant(module, place)
        elif texts[:2] == ["export", "default"]:
            module.exported.append((place + 2, _end(module, place + 2)))
        elif texts == ["module", ".", "exports"] and module.text(place + 3) == "=":
            module.exported += [(place + 4, _end(module, place + 4))] * sum(
                token.text == "exports" for token in sequence
            )
    for place, token in enumerate(sequence):
        if token.text in {"require", "import"} and module.text(place + 1) == "(" and place + 2 < len(sequence):
            module.loaded.add(sequence[place + 2].value or "")
    return module


def _end(module: Module, start: int) -> int:
    """Where the statement's expression ends: at a semicolon, or where JavaScript inserts one."""
    previous: Token | None = None
    for place in module.outer((start, len(module.tokens))):
        token = module.tokens[place]
        if token.text in {";", ")", "]", "}"} and token.kind == "mark":
            return place
        begins = token.kind in {"string", "number"} or token.text == "{"
        begins = begins or (token.kind == "word" and token.text not in _GOES_ON)
        if previous is not None and token.on_new_line and begins and _complete(previous):
            return place
        last = module.pairs.get(place, place) if token.text in {"(", "[", "{"} else place
        previous = module.tokens[last]
    return len(module.tokens)


def _complete(token: Token) -> bool:
    if token.kind == "word":
        return token.text not in _GOES_ON
    return token.kind != "mark" or token.text in {")", "]", "}", "!", ">"}


def _import(module: Module, place: int) -> None:
    end = _end(module, place + 1)
    source = next((at for at in range(place, end) if module.tokens[at].kind == "string"), None)
    if source is None:
        return
    name = module.tokens[source].value or ""
    module.loaded.add(name)
    if module.text(place + 1) == "type" and module.text(place + 2) != "from":
        return
    for at in module.outer((place + 1, source)):
        if module.text(at) == "{":
            _names(module, at, name, "as")
        elif module.tokens[at].kind == "word" and module.text(at) not in {"from", "as"}:
            module.imports[module.text(at)] = (name, WHOLE)


def _names(module: Module, opening: int, source: str, between: str) -> None:
    """Take over ``{ name, name as other }``, or ``{ name, name: other }``."""
    for span in module.split((opening + 1, module.pairs[opening]), ","):
        words = [text for text in module.texts(span) if text != "type"]
        if len(words) == 1:
            module.imports[words[0]] = (source, words[0])
        elif len(words) == _NAMED_PAIR and words[1] == between:
            module.imports[words[2]] = (source, words[0])


def _constant(module: Module, place: int) -> None:
    for declared in module.split((place + 1, _end(module, place + 1)), ","):
        equals = next((at for at in module.outer(declared) if module.text(at) == "="), None)
        if equals is not None:
            _declare(module, declared[0], (equals + 1, declared[1]))


def _declare(module: Module, place: int, value: Span) -> None:
    required = _required(module, value)
    name = module.text(place)
    if name == "{" and required is not None:
        _names(module, place, required, ":")
    elif required is not None:
        module.imports[name] = (required, WHOLE)
    elif name not in {"{", "["}:
        module.constants[name] = value


def _required(module: Module, value: Span) -> str | None:
    start, end = value
    alone = end - start == 4 and module.texts((start, start + 2)) == ["require", "("]  # noqa: PLR2004 - require ( "…" )
    return module.tokens[start + 2].value if alone else None


def words_of(module: Module, span: Span) -> str:
    """The source of a span on one line, for a reason; strings may be secrets and are left out."""
    hidden = {"string": '"…"', "template": "`…`", "regex": "/…/"}
    return " ".join(hidden.get(token.kind, token.text) for token in module.tokens[slice(*span)])
