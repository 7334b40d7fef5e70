"""A plugin that writes down with which words and variables this process starts others, and its own limit."""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path
from typing import Any

from health.secrets.secret import hide

_FILE = Path(os.environ["SPY_FILE"])


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "subprocess.Popen":
        return
    program, words, _, variables = arguments
    spoken = [os.fsdecode(word) for word in words]
    known = None if variables is None else {os.fsdecode(name): os.fsdecode(text) for name, text in variables.items()}
    note = {
        "program": os.fsdecode(program),
        "words": spoken,
        "variables": known,
        "secrets": [word for word in (*spoken, *(known or {}).values()) if hide(word) != word],
        "core": resource.getrlimit(resource.RLIMIT_CORE),
    }
    with _FILE.open("a") as file:
        file.write(json.dumps(note) + "\n")


sys.addaudithook(_note)
