"""Runs Prisma Migrate itself: the CLI 6.19.3, and the engines of 6.19.3 and 7.10.1 without a CLI.

npm carries the engines as WebAssembly, so nothing is downloaded but packages of npm's own registry.
They are installed into ``.engine`` of the working copy, once for each state of the files beside this one.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Literal

from health.config.urls import is_loopback
from tests.support.load import patience

HERE = Path(__file__).parent
HOME = HERE.parent.parent / ".engine"
LEAST_NODE = 20
INSTALL_S = 300
RUN_S = 60  # an engine waits for its lock for 10 s

_FILES = sorted(path for path in HERE.iterdir() if path.suffix in {".json", ".mjs", ".prisma"})
_PACK = "prisma@7.10.1"
_PACKED = "package/build/schema_engine_bg.wasm"
_SHA256 = "c4bd68afe4f4bebd08b0c96a75f398aec624e6376043c2aad966fa78e3b69b52"
_SAID = 20  # lines of npm's that an error repeats
# Variables that lead to a database, or change what node does.
_FOREIGN = re.compile(r"PG|PRISMA_|DATABASE_URL$|DIRECT_URL$|SHADOW_DATABASE_URL$|NODE_OPTIONS$|DEBUG$")

_CODE = re.compile(r"^Error: (P\d{4})\b", re.MULTILINE)
_FAILED_SCRIPT = "sql_schema_connector::apply_migration::apply_script"
_BETWEEN_SCRIPTS = "P3015"  # the file of the next migration cannot be read
# The engine's log, which the CLI prints in one line per event when DEBUG asks for it.
_LOG = "prisma:schemaEngine:wasm:stderr"
_BEGUN = re.compile(rf'^{_LOG} \{{"level":"INFO","fields":\{{"message":"Applying `(.*?)`","script":', re.MULTILINE)

Resolution = Literal["applied", "rolled-back"]
Generation = Literal["6.19.3", "7.10.1"]


class EngineError(Exception):
    """The packages could not be installed, or a program did not answer; the text says what it said last."""


@dataclass(frozen=True)
class Outcome:
    """What a command came to.

    Attributes:
        exit_code: 0 or 1, of the CLI or as the CLI would give it.
        text: all that was said.
        code: Prisma's code of the error, such as P3009. None also for errors that have none.
        applied: the migrations that a deploy applied, also before one failed.
    """

    exit_code: int
    text: str
    code: str | None = None
    applied: tuple[str, ...] = ()


@cache
def unavailable() -> str | None:
    """Why Prisma cannot run on this machine; None if it can."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        return "Prisma's engine needs node and npm, which are not installed"
    version, _ = _node()
    if int(version.removeprefix("v").split(".")[0]) < LEAST_NODE:
        return f"Prisma's engine needs node {LEAST_NODE} or newer; this is {version}"
    return None


@cache
def install() -> Path:
    """The directory with all packages; made now if it is not there.

    Raises:
        EngineError: npm failed, or the engine in its package is not the known one.
    """
    digest = hashlib.sha256(_SHA256.encode())
    for path in _FILES:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    place = HOME / digest.hexdigest()[:16]
    HOME.mkdir(exist_ok=True)
    (HOME / ".gitignore").write_text("*\n")
    with (HOME / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            for other in HOME.iterdir():  # of other states of the files, or half-made
                if other.is_dir():
                    shutil.rmtree(other)
            half = HOME / "half"
            half.mkdir()
            _fill(half)
            half.rename(place)
    return place


@cache
def install_cli7() -> Path:
    """The directory with the packages of the CLI 7.10.1; made now if it is not there.

    Raises:
        EngineError: npm failed.
    """
    place = install() / "cli7"
    with (HOME / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            half = place.with_name("half-cli7")
            shutil.rmtree(half, ignore_errors=True)
            half.mkdir()
            shutil.copy(HERE / "cli7.json", half / "package.json")
            _npm(half, "install", "--no-audit", "--no-fund", "--no-package-lock")
            half.rename(place)
    return place


def deploy_each(generation: Generation, cases: Sequence[tuple[str, Path]]) -> list[dict[str, Any]]:
    """Deploy many directories, each into a database of its own, in one process; ``engine.mjs`` tells the answers."""
    if not all(is_loopback(url) for url, _ in cases):
        raise ValueError("Prisma is run on databases of this machine only")
    environment = _environment("postgresql://127.0.0.1/", HERE)
    actions = [{"do": "deploy", "url": url, "migrations": str(directory)} for url, directory in cases]
    done = _run([_node()[1], "engine.mjs", generation], {**environment, "DATABASE_URL": ""}, json.dumps(actions))
    if done.returncode:
        raise EngineError(f"the engine ended with {done.returncode}: {done.stderr.strip()}")
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


class Engine:
    """The schema engine without a CLI: a third of a second instead of two.

    Args:
        url: of the database, on this machine.
        migrations: the directory of the migrations.
    """

    generation: ClassVar[Generation]

    def __init__(self, url: str, migrations: Path) -> None:
        self._environment = _environment(url, migrations)

    def act(self, actions: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
        """Do several things in one session; ``engine.mjs`` says what there is and what the answers are."""
        command = [_node()[1], "engine.mjs", self.generation]
        done = _run(command, self._environment, json.dumps(list(actions)))
        if done.returncode:
            raise EngineError(f"the engine ended with {done.returncode}: {done.stderr.strip()}")
        answers: list[dict[str, Any]] = json.loads(done.stdout)
        return answers

    def diagnose(self) -> dict[str, Any]:
        """The engine's view: ``editedMigrationNames``, ``failedMigrationNames``, ``hasMigrationsTable``, ``history``.

        If it cannot tell, ``{"error": {"code": …, "message": …}}``.
        """
        (answer,) = self.act([{"do": "diagnose"}])
        told: dict[str, Any] = answer["result"] if "result" in answer else {"error": answer["error"]}
        return told

    def status(self) -> Outcome:
        """What ``migrate status`` makes of the diagnosis."""
        told = self.diagnose()
        if "error" in told:
            return Outcome(1, told["error"]["message"], told["error"]["code"])
        pending = (told["history"] or {}).get("diagnostic") in {"databaseIsBehind", "historiesDiverge"}
        healthy = not pending and told["hasMigrationsTable"] and not told["failedMigrationNames"]
        return Outcome(0 if healthy else 1, json.dumps(told))

    def deploy(self) -> Outcome:
        """Apply what is pending."""
        (answer,) = self.act([{"do": "deploy"}])
        return outcome(answer)

    def resolve(self, name: str, resolution: Resolution) -> Outcome:
        """Record a migration as applied or rolled back."""
        (answer,) = self.act([{"do": resolution, "name": name}])
        return outcome(answer)


class Engine6(Engine):
    """The engine of the CLI 6.19.3."""

    generation = "6.19.3"


class Engine7(Engine):
    """The engine of the CLI 7.10.1, which takes a rolled-back migration for pending."""

    generation = "7.10.1"


class Cli6:
    """The CLI 6.19.3 itself.

    Args:
        url: of the database, on this machine.
        migrations: the directory of the migrations.
    """

    def __init__(self, url: str, migrations: Path) -> None:
        self._environment = _environment(url, migrations)
        self._engine = Engine6(url, migrations)

    def status(self) -> Outcome:
        """``prisma migrate status``."""
        return self._migrate("status")

    def deploy(self) -> Outcome:
        """``prisma migrate deploy``."""
        return self._migrate("deploy", DEBUG=_LOG)

    def resolve(self, name: str, resolution: Resolution) -> Outcome:
        """``prisma migrate resolve --applied NAME`` or ``--rolled-back NAME``."""
        return self._migrate("resolve", f"--{resolution}", name)

    def diff(self) -> Outcome:
        """``prisma migrate diff`` of the migrations, replayed in a database of its own, from an empty schema."""
        migrations = self._environment["MIGRATIONS"]
        return self._migrate("diff", "--from-empty", "--to-migrations", migrations, "--script")

    def diagnose(self) -> dict[str, Any]:
        """The diagnosis that status judges; the CLI does not print it, so its engine is asked."""
        return self._engine.diagnose()

    def _migrate(self, *arguments: str, **more: str) -> Outcome:
        command = [_node()[1], "node_modules/prisma/build/index.js", "migrate", *arguments]
        done = _run([*command, "--config", "prisma.config.mjs"], {**self._environment, **more})
        said = done.stderr
        if more and (error := re.search(r"^Error: .*", said[said.rfind(_LOG) :], re.MULTILINE | re.DOTALL)):
            said = error[0]  # without the log
        found = _CODE.search(said)
        applied, code = _applied(_BEGUN.findall(done.stderr), done.returncode, found and found[1], said)
        return Outcome(done.returncode, done.stdout + said, code, applied)


def announced(directory: Path, schema: str, variables: Mapping[str, str]) -> str:
    """What ``prisma migrate status`` says before it connects: the files it has loaded, and where the database is.

    Args:
        directory: of an application without ``prisma.config.ts``; its URLs must lead to a closed port.
        schema: the path of the schema file in it.
        variables: of the process.
    """
    environment = _environment("postgresql://127.0.0.1:1/", HERE)
    del environment["DATABASE_URL"]
    program = str(install() / "node_modules/prisma/build/index.js")
    command = [_node()[1], program, "migrate", "status", "--schema", schema]
    done = _run(command, {**environment, **variables}, directory=directory)
    return done.stdout + done.stderr


def outcome(answer: Mapping[str, Any]) -> Outcome:
    """An answer of :meth:`Engine.act` as the CLI would put it."""
    error = answer.get("error")
    if error is None:
        return Outcome(0, json.dumps(answer["result"]), applied=tuple(answer["begun"]))
    applied, code = _applied(answer["begun"], 1, error["code"], error["message"])
    return Outcome(1, error["message"], code, applied)


def _applied(begun: Sequence[str], exit_code: int, code: str | None, said: str) -> tuple[tuple[str, ...], str | None]:
    """What was applied of the scripts begun, and the code, which WebAssembly leaves out for a script that failed."""
    if _FAILED_SCRIPT in said:
        code = "P3018"
    whole = exit_code == 0 or code == _BETWEEN_SCRIPTS
    return tuple(begun if whole else begun[:-1]), code


@cache
def _node() -> tuple[str, str]:
    """Node's version and its program itself: what PATH leads to may be a wrapper that needs the user's settings."""
    told = subprocess.run(
        ["node", "-p", "`${process.version} ${process.execPath}`"],
        env=_own_environment(), capture_output=True, text=True, timeout=patience(RUN_S), check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if told.returncode:
        raise EngineError(f"node does not run: {told.stderr.strip()}")
    version, _, program = told.stdout.strip().partition(" ")
    return version, program


def _own_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not _FOREIGN.match(name)}


def _environment(url: str, migrations: Path) -> dict[str, str]:
    """All that node gets; what is not said here cannot lead it elsewhere."""
    if not is_loopback(url):
        raise ValueError("Prisma is run on databases of this machine only")
    idle = shutil.which("true") or ""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(HOME),
        "LC_ALL": "C.UTF-8",
        "NO_COLOR": "1",
        "CHECKPOINT_DISABLE": "1",
        "PRISMA_HIDE_UPDATE_MESSAGE": "1",
        # The CLI downloads native engines unless there are programs in their place; resolve also asks one of them
        # whether the database is there, and takes exit status 0 for yes.
        "PRISMA_SCHEMA_ENGINE_BINARY": idle,
        "PRISMA_QUERY_ENGINE_LIBRARY": idle,
        "DATABASE_URL": url,
        "MIGRATIONS": str(migrations.absolute()),
    }


def _run(
    command: Sequence[str], environment: Mapping[str, str], given: str = "", directory: Path | None = None
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, cwd=directory or install(), env=environment, input=given, capture_output=True, text=True,
            encoding="utf-8", errors="replace", timeout=patience(RUN_S), check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise EngineError(f"{' '.join(command[1:])} took longer than {RUN_S} s") from None


def _fill(place: Path) -> None:
    for path in _FILES:
        shutil.copy(path, place)
    _npm(place, "install", "--no-audit", "--no-fund", "--no-package-lock")
    _npm(place, "pack", _PACK, "--silent")
    archive = place / "prisma-7.10.1.tgz"
    with tarfile.open(archive) as packed:
        member = packed.extractfile(_PACKED)
        code = member.read() if member else b""
    archive.unlink()
    if hashlib.sha256(code).hexdigest() != _SHA256:
        raise EngineError(f"{_PACKED} of {_PACK} is not the known engine")
    (place / "engine-7.10.1.wasm").write_bytes(code)


def _npm(place: Path, *arguments: str) -> None:
    try:
        done = subprocess.run(
            ["npm", *arguments, "--ignore-scripts", "--prefer-offline"],
            cwd=place, env=_own_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace", timeout=INSTALL_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise EngineError(f"npm {arguments[0]} took longer than {INSTALL_S} s") from None
    if done.returncode:
        said = "\n".join(done.stdout.strip().splitlines()[-_SAID:])
        raise EngineError(f"npm {arguments[0]} ended with {done.returncode}:\n{said}")
