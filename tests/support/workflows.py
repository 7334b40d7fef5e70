"""Runs the ``run`` lines of a job in a workflow of GitHub's with bash, one after the other, as a runner would.

Steps that use an action of somebody else's are named and skipped; the composite action beside the workflows is entered.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from plugins.paths import ROOT
from tests.support.load import patience

GITHUB = ROOT / "ci" / "github"
ACTION = ".github/actions/migration-health"
SHELL = ("bash", "--noprofile", "--norc", "-eo", "pipefail")
_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
_CALL = re.compile(r"format\('([^']*)', ([\w.-]+)\)")


def read(path: Path) -> dict[str, Any]:
    """A file of YAML; its ``on`` stays a word."""
    text = re.sub(r"^on:", '"on":', path.read_text(), flags=re.MULTILINE)
    content: dict[str, Any] = yaml.safe_load(text)
    return content


@dataclass(frozen=True)
class Ran:
    """What came of a step; ``status`` is None where it was not run."""

    name: str
    status: int | None
    output: str = ""
    skipped: str = ""


@dataclass
class Runner:
    """A checkout with the workflows in it, and what the runner and the repository hand to a job.

    Attributes:
        checkout: the application's, where the job stands.
        context: what expressions name, such as ``secrets.BASTION_SSH_KEY``; what is missing is empty.
        path: directories before those of the system's ``PATH``.
        home: the runner's.
    """

    checkout: Path
    context: dict[str, str]
    path: list[Path] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.home = self.checkout.with_name(f"{self.checkout.name}-home")
        self.home.mkdir()
        shutil.copytree(GITHUB / "action", self.checkout / ACTION)
        program = self.home / ".migration-health" / "venv" / "bin" / "migration-health"
        program.parent.mkdir(parents=True)
        program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -P -m migration_health "$@"\n')
        program.chmod(0o755)  # as if the cache had brought it
        self.program = program

    def run(self, workflow: str, job: str, **matrix: str) -> list[Ran]:
        """Run a job of a workflow."""
        content = read(GITHUB / workflow)
        context = dict(self.context) | {f"matrix.{name}": value for name, value in matrix.items()}
        return list(self._steps(content["jobs"][job]["steps"], context, None))

    def _steps(
        self, steps: list[dict[str, Any]], context: dict[str, str], action: Path | None, *, failed: bool = False
    ) -> Iterator[Ran]:
        for step in steps:
            name, condition = step["name"], str(step.get("if", ""))
            if failed and not re.search(r"always\(\)|!cancelled\(\)", condition):
                yield Ran(name, None, skipped="a step before it failed")
            elif (used := step.get("uses")) == f"./{ACTION}":
                inside = read(self.checkout / ACTION / "action.yml")
                given = {key: evaluate(str(value), context) for key, value in step["with"].items()}
                assert set(given) <= set(inside["inputs"])
                inputs = {
                    f"inputs.{key}": given.get(key, value.get("default", "")) for key, value in inside["inputs"].items()
                }
                composite = {key: value for key, value in context.items() if not key.startswith(("secrets", "vars"))}
                for ran in self._steps(inside["runs"]["steps"], composite | inputs, self.checkout / ACTION):
                    failed |= bool(ran.status)
                    yield ran
            elif used is not None:
                context[f"steps.{step.get('id')}.outcome"] = "success"
                yield Ran(name, None, skipped=used.partition("@")[0])
            else:
                ran = self._bash(step, context, action)
                failed |= bool(ran.status)
                context[f"steps.{step.get('id')}.outcome"] = "failure" if ran.status else "success"
                yield ran

    def _bash(self, step: Mapping[str, Any], context: dict[str, str], action: Path | None) -> Ran:
        output = self.home / "output"
        output.write_text("")
        script = self.home / "step.sh"
        script.write_text(step["run"])
        given = {key: evaluate(str(value), context) for key, value in step.get("env", {}).items()}
        known = {key: value for key, value in os.environ.items() if key in {"XDG_CACHE_HOME", "LANG", "TMPDIR"}}
        done = subprocess.run(
            [*SHELL, script],
            cwd=self.checkout / step.get("working-directory", "."),
            env=known
            | {
                "PATH": ":".join([*map(str, self.path), "/usr/local/bin", "/usr/bin", "/bin"]),
                "HOME": str(self.home),
                "GITHUB_OUTPUT": str(output),
                "GITHUB_STEP_SUMMARY": str(self.home / "summary"),
                "GITHUB_ACTIONS": "true",
                "GITHUB_REPOSITORY": "acme/shop",
                "GITHUB_SERVER_URL": "https://github.com",
                "GITHUB_RUN_ID": "42",
                "GITHUB_REF_NAME": "main",
            }
            | ({"GITHUB_ACTION_PATH": str(action)} if action else {})
            | given,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
            timeout=patience(300),
        )  # fmt: skip
        for line in output.read_text().splitlines():
            key, _, value = line.partition("=")
            context[f"steps.{step['id']}.outputs.{key}"] = value
        return Ran(step["name"], done.returncode, done.stdout)


def evaluate(text: str, context: Mapping[str, str]) -> str:
    """Fill in the expressions of a text: names, literals, ``||`` and ``format`` with one value."""

    def one(term: str) -> str:
        if call := _CALL.fullmatch(term):
            return call[1].replace("{0}", context.get(call[2], ""))
        return term[1:-1] if term.startswith("'") else context.get(term, "")

    return _EXPRESSION.sub(
        lambda found: next((value for term in found[1].split(" || ") if (value := one(term))), ""), text
    )
