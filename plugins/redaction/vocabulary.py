"""The words that the output is made of, by the programs that write it: redaction leaves them where they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

from health.secrets.encodings import DROPPED
from plugins.paths import ROOT

_OURS = ("health", "fixtures", "checks", "plugins", "migration_health")
_OTHERS = (
    "_pytest.junitxml", "_pytest.terminal", "_pytest.reports", "_pytest.main", "_pytest.logging",
    "allure_commons.model2", "allure_commons.types", "allure_pytest.listener",
)  # fmt: skip
# What a word of a program looks like; no program is read for the passwords that a machine makes.
_LONGEST = 48
_MADE = re.compile(r"(?=.*[0-9])(?=.*[a-z])(?=.*[A-Z])\S{12,}")


class Vocabulary:
    """Tells whether a text is among the words that a run writes: report.json's keys and values, sentences, XML's names.

    They are those of the programs' source, so that none is forgotten; it is read when the first candidate comes.
    """

    def __call__(self, text: str) -> bool:
        """Whether a text is one of the words, or a part of one."""
        if len(text) > _LONGEST or _MADE.fullmatch(text):
            return False
        data = text.encode("utf-8", "surrogatepass")
        return data in self._source or data in self._joined

    @cached_property
    def _source(self) -> bytes:
        return b"\n".join(path.read_bytes() for path in _files())

    @cached_property
    def _joined(self) -> bytes:
        """The same without white space and quotation marks, as texts are folded."""
        return self._source.translate(None, DROPPED.encode())


def _files() -> Iterator[Path]:
    for layer in _OURS:
        yield from sorted((ROOT / layer).rglob("*.py"))
    for module in _OTHERS:
        try:
            spec = find_spec(module)
        except ImportError:  # Allure is optional
            continue
        if spec is not None and spec.origin is not None:
            yield Path(spec.origin)
