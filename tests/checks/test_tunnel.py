"""The script's values held against AWS: which code for what, for the environment's own stage and for further ones."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path
from typing import get_args

import pytest

from health.aws.resources import Bastion, Cluster
from health.config.environment import Environment
from health.finding import Finding, Fix
from health.outcomes import finding_of
from health.tunnel.connection import KeyFile, LoginFailure, LoginKind, ScriptRoute
from health.tunnel.script import TunnelScript, parse
from plugins import fixes
from plugins.run.check_catalog import all_checks
from tests.support.load import patience

STAGES = ("dev", "local-dev", "prod")
DEV = Environment(
    "dev", "dev", app=Path("/app"), stages=STAGES, script_stages={"local-dev": "acme-local-dev-"}
)  # fmt: skip


def cluster(stage: str, mark: str = "x1") -> Cluster:
    name = f"acme-{stage}-{mark}"
    return Cluster(
        name, "available", 5432, f"{name}.cluster-h.example", f"{name}.cluster-ro-h.example",
        ((f"{name}-1.h.example", f"{name}-1"),),
    )  # fmt: skip


OWN, LOCAL, PROD = cluster("dev"), cluster("local-dev"), cluster("prod")
BASTIONS = (
    Bastion("i-1", "bastion dev", "running", "192.0.2.1"),
    Bastion("i-2", "bastion prod", "running", "192.0.2.2"),
)
ROUTE = ScriptRoute(differs=True, outcome="it still works.")


def script(text: str) -> TunnelScript:
    return parse("/app/scripts/tunnel.sh", text, STAGES)


def endpoints(text: str, *clusters: Cluster) -> list[Finding]:
    read = {"tunnel_script": script(text), "cluster": OWN, "clusters": clusters or (OWN, LOCAL, PROD)}
    return all_checks()["tunnel-script-endpoint"].judge({**read, "script_route": ROUTE, "environment": DEV})


def bastions(text: str) -> list[Finding]:
    read = {"tunnel_script": script(text), "bastion_address": "192.0.2.1", "bastions": BASTIONS}
    return all_checks()["tunnel-script-bastion"].judge({**read, "script_route": ROUTE, "environment": DEV})


STAGE_OF = {"dev": OWN, "local-dev": LOCAL}


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("writer", None),
        ("reader", "instance-endpoint"),
        ("instance", "instance-endpoint"),
        ("the other's writer", "wrong-stage-endpoint"),
        ("prod's reader", "wrong-stage-endpoint"),
        ("prod's instance", "wrong-stage-endpoint"),
        ("another", "stale-endpoint"),
    ],
)
@pytest.mark.parametrize(("stage", "other"), [("dev", "local-dev"), ("local-dev", "dev")])
def test_endpoint(what: str, code: str | None, stage: str, other: str) -> None:
    host = {
        "writer": STAGE_OF[stage].writer_endpoint,
        "reader": STAGE_OF[stage].reader_endpoint,
        "instance": STAGE_OF[stage].instances[0][0],
        "the other's writer": STAGE_OF[other].writer_endpoint,
        "prod's reader": PROD.reader_endpoint,
        "prod's instance": PROD.instances[0][0],
        "another": f"acme-{stage}-old.cluster-h.example",
    }[what]
    right = f"{variable(other)}={STAGE_OF[other].writer_endpoint}"
    found = endpoints(f"{right}\n{variable(stage)}={host}\n")
    assert [finding.code for finding in found] == ([code] if code else [])
    for finding in found:
        assert finding.subject == "/app/scripts/tunnel.sh" + (", local-dev" if stage == "local-dev" else "")
        assert finding.message.startswith(f"Line 2 leads {stage} to {host}, which is ")
        assert ("Its own route" in finding.message) == (stage == "dev")  # only that one was tried


def variable(stage: str) -> str:
    return f"{stage.upper().replace('-', '_')}_ENDPOINT"


@pytest.mark.parametrize("others", [(PROD,), (PROD, LOCAL, cluster("local-dev", "x2"))], ids=["none", "two"])
def test_nothing_is_said_of_a_stage_without_a_cluster_of_its_own(others: tuple[Cluster, ...]) -> None:
    text = f"DEV_ENDPOINT={OWN.writer_endpoint}\nLOCAL_DEV_ENDPOINT=elsewhere.example\n"
    assert endpoints(text, OWN, *others) == []


def test_a_further_stage_that_the_script_does_not_know() -> None:
    text = f"DEV_ENDPOINT={OWN.writer_endpoint}\nDEV_BASTION_HOST=192.0.2.1\n"
    assert endpoints(text) == bastions(text) == []


def test_a_further_stage_whose_value_is_computed() -> None:
    text = f"DEV_ENDPOINT={OWN.writer_endpoint}\nLOCAL_DEV_ENDPOINT=$(find_it)\n"
    (finding,) = endpoints(text)
    assert (finding.code, finding.subject) == ("endpoint-not-attributed", "/app/scripts/tunnel.sh, local-dev")


@pytest.mark.parametrize(
    ("host", "code", "said"),
    [
        ("192.0.2.2", "wrong-stage-bastion", "which is another bastion, bastion prod (i-2)"),
        ("192.0.2.9", "stale-bastion", "which no bastion of today has"),
    ],
)
def test_one_value_of_two_stages_is_one_finding_and_one_patch(host: str, code: str, said: str) -> None:
    text = f'case "$1" in\n dev|local-dev) BASTION_HOST={host} ;;\nesac\n'
    (finding,) = bastions(text)
    assert (finding.code, finding.subject) == (code, "/app/scripts/tunnel.sh")
    assert f"Line 2 leads dev and local-dev through {host}, {said}; today's bastion is 192.0.2.1." in finding.message
    (patch,), _ = suggested(finding, text)
    assert f"-{text.splitlines()[1]}" in patch.body
    assert f"+{text.splitlines()[1].replace(host, '192.0.2.1')}" in patch.body


@pytest.mark.parametrize("others", ["prod", "local-dev|prod"])
def test_no_patch_changes_what_another_environment_uses(others: str) -> None:
    text = f'case "$1" in\n dev|{others}) BASTION_HOST=192.0.2.2 ;;\nesac\n'
    (finding,) = bastions(text)
    assert suggested(finding, text) == (
        [], "Line 2 is prod's too, which must not change: give dev a value of its own by hand, 192.0.2.1."
    )  # fmt: skip


def test_no_patch_takes_an_endpoint_from_the_stage_that_it_is_right_for() -> None:
    text = f'case "$1" in\n dev|local-dev) ENDPOINT={OWN.writer_endpoint} ;;\nesac\n'
    (finding,) = endpoints(text)
    assert (finding.code, finding.subject) == ("wrong-stage-endpoint", "/app/scripts/tunnel.sh, local-dev")
    patches, reason = suggested(finding, text)
    assert patches == []
    assert (reason or "").startswith("Line 2 is dev's too")


def suggested(finding: Finding, text: str) -> tuple[list[Fix], str | None]:
    return fixes.suggest(finding, {"tunnel_script": script(text), "environment": DEV})


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_key_of_its_owner_alone(mode: int) -> None:
    assert all_checks()["ssh-key"].judge({"ssh_key": KeyFile("/app/key", mode)}) == []


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o601])
def test_a_key_that_others_may_read(tmp_path: Path, mode: int) -> None:
    key = tmp_path / "it's a $(key)"
    key.touch()
    key.chmod(mode)
    (finding,) = all_checks()["ssh-key"].judge({"ssh_key": KeyFile(str(key), mode)})
    assert finding.code == "ssh-key-permissions"
    (fix,), _ = fixes.suggest(finding, {})
    for command, expected in ((fix.body, 0o600), (fix.undo, mode)):
        subprocess.run(str(command), shell=True, check=True, timeout=patience(20))
        assert stat.S_IMODE(key.stat().st_mode) == expected


@pytest.mark.parametrize("kind", get_args(LoginKind))
def test_each_refused_login_is_a_finding(kind: LoginKind) -> None:
    found = finding_of(LoginFailure(kind, "ann", "db", "DATABASE_URL", limit_s=3, text="the words of the server"))
    assert found.subject == "ann@db"
    assert "{" not in found.message
