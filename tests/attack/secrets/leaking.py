"""Tests of a careless user's that give secrets away in every encoding; test_outputs.py runs them."""

from __future__ import annotations

import json
import logging
import os
import sys
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from health.secrets.secret import Secret
from tests.attack.secrets.encodings import ENCODINGS

TEXTS: list[str] = json.loads(Path(os.environ["LEAKING_SECRETS"]).read_text())
for _text in TEXTS:
    Secret(_text)
WRITTEN = [f"<{name}> {encode(text)}" for text in TEXTS for name, encode in ENCODINGS.items()]


def test_prints() -> None:
    for written in WRITTEN:
        print(written)
        print(written, file=sys.stderr)
    pytest.fail("to show it")


def test_logs(record_property: Any) -> None:
    for number, written in enumerate(WRITTEN):
        logging.getLogger("careless").warning("%s", written)
        record_property(f"property {number}", written)
    warnings.warn("\n".join(WRITTEN), stacklevel=1)


@pytest.mark.parametrize("number", range(0, len(WRITTEN), 20))
def test_raises(number: int) -> None:
    held = WRITTEN[number : number + 20]
    raise RuntimeError("\n".join(held)) from KeyError(held)


def test_compares() -> None:
    assert dict(enumerate(WRITTEN)) == {0: "another"}


def test_attaches(tmp_path: Path) -> None:
    allure: Any = import_module("allure")
    allure.dynamic.title(TEXTS[0])
    for number, written in enumerate(WRITTEN):
        allure.dynamic.parameter(f"parameter {number}", written)
    allure.attach("\n".join(WRITTEN), "text")
    allure.attach("\n".join(TEXTS).encode("utf-16-le"), "UTF-16")
    file = tmp_path / "attached"
    file.write_bytes("\n".join(TEXTS).encode("utf-16-be"))
    allure.attach.file(file, "file")
