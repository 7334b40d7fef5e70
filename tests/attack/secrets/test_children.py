"""Child processes know no secret: not by their variables, not by their words, and none leaves a core dump."""

from __future__ import annotations

import ast
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from fixtures.application.config_loader import _run
from fixtures.clients.child_environment import child_environment, without_secrets
from plugins.paths import ROOT
from tests.support.gate_runs import run

CANARY = "canary-7f3a9c21d0"
VARIABLES = {
    "SHOP_PASSWORD": CANARY,
    "AWS_SESSION_TOKEN": CANARY,
    "STAGING_DATABASE_URL": f"postgresql://ann:{CANARY}@db.example/shop",
    "GITHUB_TOKEN": CANARY,
    "PLAIN_NAME": CANARY,
}
STARTERS = {"run", "Popen", "check_output", "check_call", "call"}


def test_no_child_of_a_run_knows_a_secret(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    result = run(
        "-p", "tests.attack.secrets.child_spy", "--env=local", "-q", real=True,
        env={"SPY_FILE": str(notes), "XDG_CACHE_HOME": str(tmp_path / "cache"), **VARIABLES},  # else initdb ran before
    )  # fmt: skip
    assert result.status == 0, result.text
    children: list[dict[str, Any]] = [json.loads(line) for line in notes.read_text().splitlines()]
    assert len(children) > 3
    for child in children:
        assert child["variables"] is not None, f"{child['words']} inherits all variables"
        assert CANARY not in json.dumps(child)
        # What is made for a child alone, as a file of passwords is named, is no secret.
        assert child["secrets"] == [], child["program"]
        assert child["core"] == [0, 0]


def test_each_program_of_the_product_is_started_with_variables_of_its_own() -> None:
    for layer in ("checks", "fixtures", "health", "plugins", "sandbox"):
        for path in (ROOT / layer).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                    continue
                owner = node.func.value
                if isinstance(owner, ast.Name) and owner.id == "subprocess" and node.func.attr in STARTERS:
                    assert any(word.arg == "env" for word in node.keywords), f"{path}:{node.lineno}"


def test_variables_that_a_program_needs_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("PYTHONPATH", "here")
    known = child_environment("PYTHON")
    assert known["PATH"] == os.environ["PATH"]
    assert (known["LC_ALL"], known["PYTHONPATH"]) == ("C", "here")
    assert not known.keys() & VARIABLES.keys()


def test_a_users_program_gets_made_up_secrets() -> None:
    given = {**VARIABLES, "COPY_URL": VARIABLES["STAGING_DATABASE_URL"], "NODE_ENV": "production"}
    del given["PLAIN_NAME"]
    known = without_secrets(given)
    assert known.keys() == given.keys()
    assert CANARY not in str(known)
    assert known["NODE_ENV"] == "production"
    assert known["COPY_URL"] == known["STAGING_DATABASE_URL"] != known["SHOP_PASSWORD"]
    assert known["COPY_URL"].startswith("postgresql://ann:")
    assert known["COPY_URL"].endswith("@db.example/shop")


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
def test_a_configuration_file_sees_no_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("SHOP_PASSWORD", "STAGING_DATABASE_URL"):
        monkeypatch.setenv(name, VARIABLES[name])
    program = "require('fs').writeSync(Number(process.argv.at(-1)), JSON.stringify(process.env))"
    node = shutil.which("node") or ""
    seen = _run([node, "-e", program, "--"], tmp_path, "prisma.config.ts", 60)
    assert seen["SHOP_PASSWORD"]
    assert CANARY not in json.dumps(seen)
