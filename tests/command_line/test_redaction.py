"""No secret leaves a run: careless tests give them all away, and nothing that is written may hold any of them."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.plan import password
from tests.support import sandbox as harness
from tests.support.gate_runs import run
from tests.support.sandbox import facts, to_toml
from tests.support.side_by_side import selected, side_by_side

LEAKING = "tests/command_line/leaking.py"
LEAKS = ("-k", "leaks or bastion")
OFF = ("-p", "tests.command_line.unredacted")


@dataclass(frozen=True)
class Case:
    """A way to run the tests.

    Attributes:
        words: the arguments of pytest; ``@`` is a directory of its own.
        cloned: fixes are tried on a clone.
        real: it is also about the start and the end of a process.
    """

    name: str
    words: tuple[str, ...]
    cloned: bool = False
    real: bool = False


CASES = {
    case.name: case
    for case in (
        Case("default", LEAKS, cloned=True),
        Case("locals", (*LEAKS, "--showlocals", "--color=yes")),
        Case(
            "debug", (*LEAKS, "--log-level=DEBUG", "-o", "log_cli=true", "--log-file=@/run.log", "--debug=@/debug.log")
        ),
        Case("uncaptured", (*LEAKS, "-s"), real=True),
        Case("tee", (*LEAKS, "--capture=tee-sys")),
        Case("verbose", (*LEAKS, "-vv", "-rA"), cloned=True),
        Case("full", ("-k", "refused or cause or torn", "--full-trace", "--showlocals")),
        Case("native", (*LEAKS, "--tb=native", "-W", "error::UserWarning")),
        Case("workers", (*LEAKS, "-n2", "--showlocals"), cloned=True),
        Case("crash", ("-k", "crash or warning", "-n1", "-s", "--max-worker-restart=0"), real=True),
        Case("internal error", ("-k", "internal"), real=True),
        Case("internal error in a worker", ("-k", "internal", "-n1")),
        Case("collection error", ("tests/command_line/leaking_at_import.py",)),
    )
}
# The outputs in which the search must find secrets when nothing is redacted.
PROOFS = {
    "default": {"stdout", "junit.xml", "allure", "report.json", "summary.md", "fixes-qa.sql"},
    "debug": {"stdout", "run.log", "debug.log"},
    "uncaptured": {"stdout", "stderr"},
    "workers": {"stdout", "junit.xml", "allure"},
    "crash": {"stdout", "stderr"},
    "internal error": {"stdout"},
    "internal error in a worker": {"stdout"},
    "collection error": {"stdout", "junit.xml"},
}


class HostileSandbox:
    """A sandbox with hostile secrets, and what all of them are recognised by."""

    def __init__(self, directory: Path, entry: dict[str, object]) -> None:
        empty = directory / "empty"
        empty.touch()
        self.entry = directory / "entry.json"
        self.entry.touch(mode=0o600)
        self.entry.write_text(json.dumps(entry))
        keys = {"AWS_ACCESS_KEY_ID": str(entry["aws_access_key_id"]), "AWS_SECRET_ACCESS_KEY": password()}
        self.variables = {
            **keys,
            "AWS_SESSION_TOKEN": str(entry["aws_session_token"]),
            "AWS_CONFIG_FILE": str(empty),
            "AWS_SHARED_CREDENTIALS_FILE": str(empty),
            "LEAKING_ENTRY": str(self.entry),
        }
        self.registry = directory / "qa.toml"
        own = ("embedded", "aws_access_key_id", "aws_secret_access_key", "aws_session_token")
        self.registry.write_text(to_toml("qa", {k: v for k, v in entry.items() if k not in own}))
        with facts(harness.environment(entry)) as read:
            functions = read["functions_read"]
            url = functions["auth"].variables["DATABASE_URL"].reveal()
            secrets = [read["secret_read"].password.reveal(), read["admin_key"].reveal(), url.partition("@")[0]]
        secrets += [self.variables["AWS_SECRET_ACCESS_KEY"], self.variables["AWS_SESSION_TOKEN"]]
        key = Path(str(entry["ssh_key"])).read_text().splitlines()[2:-1]  # the first line is the format's
        self.needles = {needle for secret in [*secrets, *key] for needle in _needles(secret)}

    def leaks(self, data: bytes) -> list[bytes]:
        """What of the secrets is in an output."""
        return [needle for needle in self.needles if needle in data]

    def run(self, case: Case, directory: Path, *more: str, off: bool = False) -> dict[str, bytes]:
        """Run careless tests; gives every output by its name."""
        words = [word.replace("@", str(directory)) for word in case.words]
        files = (f"--junitxml={directory}/junit.xml", f"--alluredir={directory}/allure", f"--report={directory}/report")
        where = [] if case.name == "collection error" else ["checks/test_tunnel.py", LEAKING]
        where += [] if case.cloned else ["--clone=off"]
        variables = {**self.variables, **({"LEAKING_REPORTS": ""} if off else {})}
        result = run(
            *words, *where, *more, *files, "--env=qa", f"--environments={self.registry}", "-pno:hypothesispytest",
            env=variables, real=case.real,
        )  # fmt: skip
        assert result.status in (1, 2, 3, 10), result.text
        outputs = {"stdout": result.out.encode(), "stderr": result.err.encode()}
        for file in directory.rglob("*"):
            if file.is_file():
                name = "allure" if file.parent.name == "allure" else file.name
                outputs[name] = outputs.get(name, b"") + b"\n" + file.read_bytes()
        return outputs


def _needles(secret: str) -> Iterator[bytes]:
    """Of a secret that ends in letters, which no quoting changes: that end, cut or whole, and it in base64."""
    core = secret[-14:].encode()
    yield from (core[-6:], core[:6])
    for shift in range(3):
        for encoded in (base64.b64encode, base64.urlsafe_b64encode):
            yield encoded(b"\0" * shift + core)[4:-4]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostileSandbox]:
    with harness.sandbox() as entry, pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        yield HostileSandbox(tmp_path_factory.mktemp("redaction"), entry)


Outputs = Callable[[str], dict[str, bytes]]


@pytest.fixture(scope="module")
def outputs(
    world: HostileSandbox, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Outputs]:
    """The outputs of all runs."""

    def work(name: str, *more: str, off: bool = False) -> Callable[[], dict[str, bytes]]:
        return lambda: world.run(CASES[name], tmp_path_factory.mktemp("run"), *more, off=off)

    runs = {name: work(name) for name in selected(request, "case")}
    runs |= {f"{name} without redaction": work(name, *OFF, off=True) for name in selected(request, "unredacted")}
    with side_by_side(runs) as outputs:
        yield outputs


@pytest.mark.parametrize("case", CASES)
def test_nothing_leaks(world: HostileSandbox, outputs: Outputs, case: str) -> None:
    written = outputs(case)
    assert {name: found for name, data in written.items() if (found := world.leaks(data))} == {}
    assert b"***" in written["stdout"] + written["stderr"]
    json.loads(written.get("report.json", b"{}"))


@pytest.mark.parametrize("unredacted", PROOFS)
def test_it_would_have_been_found(world: HostileSandbox, outputs: Outputs, unredacted: str) -> None:
    written = outputs(f"{unredacted} without redaction")
    assert {name for name, data in written.items() if world.leaks(data)} >= PROOFS[unredacted]


def test_the_output_is_not_published() -> None:
    result = run("--pastebin=all", "--co")
    assert result.status == 4
    assert "--pastebin: it would publish the output" in result.err
