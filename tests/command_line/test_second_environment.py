"""The suite runs against an environment that its sandbox did not make; see :mod:`tests.support.second_environment`."""

from __future__ import annotations

import json
import re
import shutil
import stat
import subprocess
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from fixtures.facts import with_needs
from health.parts import EVERY, Part
from plugins.paths import ROOT
from plugins.run.check_catalog import checks_of_parts
from plugins.run.invariant_checks import shipped
from tests.support import second_environment as second
from tests.support import second_servers as servers
from tests.support.second_environment import HOSTILE, Told, World

CHECKS = checks_of_parts(EVERY - {Part.LAYER})  # its registry names no layer
COUNT = len(CHECKS)


def needing(fact: str) -> set[str]:
    """The ids of its checks that have no answer without this fact."""
    return {name for name, check in CHECKS.items() if fact in with_needs(check.needs)}


CLUSTER = {"cluster-available", "security-group", "database-url", "database-host"}
SCRIPT = {"tunnel-script-endpoint", "tunnel-script-bastion"}
# It has no schema file, and of the tables that the invariants read Entity alone, with fewer columns.
ABSENT = {"schema-file-has-no-unwritten-change", *shipped()} - {"entity-data-object"}
Runs = dict[str, tuple[Told, dict[str, int], dict[str, int]]]  # told, logins by user, requests by environment
NO_KEYS = {"aws_access_key_id": None, "aws_secret_access_key": None, "profile": "acme-deploy"}

# DESIGN.md, "The machine-readable report"
KEYS = {
    "report": {"schema_version", "started_at", "duration_s", "exit_status", "environments"},
    "environment": {"name", "verdict", "phase", "facts", "checks"},
    "check": {"id", "nodeid", "outcome", "severity", "seconds", "reason", "findings"},
    "finding": {"code", "severity", "subject", "message", "evidence", "explained_by", "waived", "fixes"},
    "fix": {"kind", "title", "option", "order", "body", "undo", "proof"},
    "proof": {"status", "detail", "seconds"},
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with second.world(tmp_path_factory.mktemp("acme")) as made:
        yield made


@pytest.fixture(scope="module")
def healthy(world: World) -> Told:
    with world.counting() as (logins, requests):
        told = world.run("-vv", "--showlocals", "--junitxml=@RUN@/junit.xml", "--alluredir=@RUN@/allure", real=True)
        assert dict(requests) == {"qa": 1}
        assert dict(logins) == {"ubuntu": 2}  # the pre-flight and the tunnel
    return told


@pytest.fixture(scope="module")
def singles(world: World) -> dict[str, Told]:
    """Runs over ``qa`` alone, side by side."""
    key = {"AWS_ACCESS_KEY_ID": world.aws.key_id, "AWS_SECRET_ACCESS_KEY": world.canaries[2].text}
    refused = world.registry(secret="acme/{env}/rotated")  # a password that the database does not accept
    loud = ["-vv", "--showlocals", "--junitxml=@RUN@/junit.xml", "--alluredir=@RUN@/allure"]
    return world.together(
        {
            "no script": {"registry": world.registry(tunnel_script="ops/none.sh")},
            "default chain": {"registry": world.registry(None, **NO_KEYS), "variables": key},
            "refused": {"words": loud, "registry": refused},
            "-x": {"words": ["-x"], "registry": refused},
            "-k": {"words": ["-k", "aws_identity or database_secret"]},
            "node id": {"words": ["checks/test_aws.py::test_aws_identity[qa]"]},
        }
    )


def assert_keys(report: dict[str, Any]) -> None:
    def has(kind: str, value: dict[str, Any]) -> None:
        assert not KEYS[kind] - value.keys(), f"{kind} lacks keys"

    has("report", report)
    for environment in report["environments"]:
        has("environment", environment)
        assert environment["verdict"] in {"healthy", "blocked", "unknown", "partial"}
        for check in environment["checks"]:
            has("check", check)
            assert check["outcome"] in {"passed", "warned", "failed", "unknown", "waived", "skipped"}
            for finding in check["findings"]:
                has("finding", finding)
                for fix in finding["fixes"]:
                    has("fix", fix)
                    has("proof", fix["proof"])


def assert_only_waiting_is_left(finding: dict[str, Any], title: str, why: str) -> None:
    (wait,) = finding["fixes"]
    assert (wait["kind"], wait["order"], wait["body"]) == ("wait", 1, "")
    assert wait["title"].startswith(title)
    assert why in wait["note"]
    assert finding["no_fix"] is None


class TestHealthy:
    def test_verdict(self, healthy: Told) -> None:
        assert healthy.status == 0
        assert healthy.environment()["verdict"] == "healthy"
        assert (
            f"qa: HEALTHY before a deploy; {COUNT} checks, {COUNT - len(ABSENT)} passed, {len(ABSENT)} skipped."
            in healthy.flat
        )
        assert healthy.outcomes() == {"passed": set(CHECKS) - ABSENT, "skipped": ABSENT}

    def test_what_it_does_not_have_is_told_in_one_line(self, healthy: Told) -> None:
        assert healthy.result.out.count("qa: not judged  layer (no such settings)\n") == 1
        assert not {"layer-version", "layer-migrations"} & healthy.checks().keys()
        assert "test_layer" not in healthy.result.text

    def test_report(self, healthy: Told) -> None:
        assert_keys(healthy.report)
        assert healthy.report["schema_version"] == 1
        assert healthy.report["exit_status"] == 0
        assert [each["name"] for each in healthy.report["environments"]] == ["qa"]
        directory = healthy.directory / "report"
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}
        assert modes == dict.fromkeys(["report.json", "summary.md", "fixes-qa.sql"], 0o600)

    def test_facts_are_those_of_its_own_stage(self, healthy: Told) -> None:
        facts = healthy.environment()["facts"]
        assert facts["endpoint"].startswith(f"{second.CLUSTER}.cluster-")
        assert facts["bastion"].startswith("127.0.0.1 (AWS, acme bastion qa ")
        assert "database acme as acme_reader, writer" in facts["server"]
        assert facts["migrations"].startswith("3 in ")

    def test_junit_holds_the_node_ids(self, healthy: Told) -> None:
        cases = ET.parse(healthy.directory / "junit.xml").iter("testcase")
        named = {f"{case.attrib['classname']}::{case.attrib['name']}" for case in cases}
        nodeids = {check["nodeid"] for check in healthy.checks().values()}
        assert named == {nodeid.replace(".py::", "::").replace("/", ".") for nodeid in nodeids}

    def test_allure_holds_the_checks(self, healthy: Told) -> None:
        results = [json.loads(path.read_text()) for path in (healthy.directory / "allure").glob("*-result.json")]
        assert sorted(result["name"] for result in results) == sorted(healthy.checks())
        assert Counter(result["status"] for result in results) == {
            "passed": COUNT - len(ABSENT),
            "skipped": len(ABSENT),
        }


class TestHistory:
    def test_orphan_while_the_api_says_up_to_date(self, world: World) -> None:
        with world.row("20241111_gone"):
            told = world.run()
        assert told.status == told.report["exit_status"] == 1
        assert told.environment()["verdict"] == "blocked"
        assert_keys(told.report)
        assert told.outcomes()["failed"] == {"no-orphaned-migration"}
        assert told.checks()["api-status"]["outcome"] == "passed"
        assert told.finding("orphaned-migration")["subject"] == "20241111_gone"

    def test_young_rows_without_an_end_have_no_sql(self, world: World) -> None:
        names = (second.ORDER[1], HOSTILE, "20991231_not_in_the_directory")
        with ExitStack() as rows:
            for name in names:
                rows.enter_context(world.row(name, failed=True, age=timedelta(seconds=100), logs=None))
            told = world.run()
        assert told.status == 1
        findings = told.checks()["no-failed-migration"]["findings"]
        assert {finding["subject"] for finding in findings} == set(names)
        for finding in findings:
            assert "it may still be running" in finding["message"]
            assert_only_waiting_is_left(finding, "Wait 14 min", "younger than the worker's 900 s")
        self._without_sql(told)

    def test_row_beside_a_held_lock_has_no_sql(self, world: World) -> None:
        """Our role may not see when the other session began, so nothing names it for good: only waiting is left."""
        with world.row(HOSTILE, failed=True, logs=None), world.lock() as pid:
            told = world.run()
        assert told.status == 1
        finding = told.finding("migration-running")
        assert f"The migration lock is held by pid {pid} of postgres" in finding["message"]
        assert finding["subject"] == HOSTILE
        assert_only_waiting_is_left(finding, "Wait ", "may be about to commit")
        assert told.checks()["no-failed-migration"]["findings"] == []
        self._without_sql(told)

    def test_failed_row_has_sql_that_works(self, world: World) -> None:
        """Of a name with quotes, spaces and what a shell would run, in another schema than public."""
        state = "SELECT rolled_back_at IS NOT NULL FROM _prisma_migrations WHERE id = %s"
        with world.row(HOSTILE, failed=True) as row, world.connect() as person:
            fix, fallback = self._sql(world.run().finding("failed-and-applied"))
            for body, expected in ((fix["body"], [(True,)]), (fix["undo"], [(False,)]), (fallback["body"], [])):
                person.execute(body)
                assert person.execute(state, [row]).fetchall() == expected
            person.execute(fallback["undo"])
            assert person.execute(state, [row]).fetchall() == [(False,)]

    def test_crashed_migration_whose_objects_are_there_is_recorded(self, world: World) -> None:
        rows = "SELECT t.*::text FROM _prisma_migrations t ORDER BY id"
        with world.connect() as person:
            before = person.execute(rows).fetchall()
            person.execute("CREATE TABLE kept AS TABLE _prisma_migrations")
            person.execute("UPDATE _prisma_migrations SET finished_at = NULL WHERE migration_name = %s", [HOSTILE])
            try:
                crashed = person.execute(rows).fetchall()
                finding = world.run().finding("crashed-migration")
                assert finding["evidence"]["took_effect"] == "all"
                fix, by_hand = self._sql(finding)
                person.execute(fix["body"])
                assert world.run().status == 0
                person.execute(fix["undo"])
                assert person.execute(rows).fetchall() == crashed
                assert "'manual'" in by_hand["body"]
            finally:
                person.execute(
                    "TRUNCATE _prisma_migrations; INSERT INTO _prisma_migrations TABLE kept; DROP TABLE kept"
                )
            assert person.execute(rows).fetchall() == before

    @staticmethod
    def _sql(finding: dict[str, Any]) -> list[dict[str, Any]]:
        return [fix for fix in finding["fixes"] if fix["kind"] == "sql"]

    def test_pending_in_the_order_of_locale_compare(self, world: World, tmp_path: Path) -> None:
        migrations = tmp_path / "more"
        shutil.copytree(world.app / "db" / "migrations", migrations)
        pending = ["20250101_next", "3_next", "30_next"]
        for name in pending:
            (migrations / name).mkdir()
            (migrations / name / "migration.sql").write_text("SELECT 1;\n")
        told = world.run("--phase=after", f"--migrations={migrations}")
        assert told.status == 1
        findings = told.checks()["no-pending-migration"]["findings"]
        assert [finding["subject"] for finding in findings] == pending
        assert told.environment()["facts"]["migrations"] == f"6 in {migrations} (--migrations)"

    @staticmethod
    def _without_sql(told: Told) -> None:
        assert "There is nothing to mend by SQL." in (told.directory / "report" / "fixes-qa.sql").read_text()
        assert "BEGIN" not in told.result.text


def test_no_tunnel_script(world: World, singles: dict[str, Told]) -> None:
    told = singles["no script"]
    assert told.status == 0
    assert told.environment()["verdict"] == "healthy"
    assert told.outcomes()["skipped"] == SCRIPT | ABSENT
    reason = f"there is no tunnel script at {world.app / 'ops/none.sh'}"
    for each in SCRIPT:
        assert told.checks()[each]["reason"] == reason
    assert told.flat.count(f": {reason}") == 1  # on one line for all of them
    assert told.finding("tunnel-script-absent")["severity"] == "info"


@pytest.fixture(scope="module")
def further(world: World, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Told]:
    """Runs over ``qa`` in which the script's stage local-dev is judged too, as the script stands and patched."""
    script = tmp_path_factory.mktemp("script") / "tunnel.sh"
    shutil.copy(world.app / "ops" / "tunnel.sh", script)
    registry = world.registry(script_stages=["local-dev"])
    found = {"as it stands": world.run("-k", "script", f"--tunnel-script={script}", registry=registry)}
    text = script.read_text()
    qa, local_dev = re.findall(r"ENDPOINT=\"?(acme-\S+?)\"?$", text, re.MULTILINE)
    script.write_text(text.replace(local_dev, qa))
    found["another's cluster"] = world.run("-k", "script", f"--tunnel-script={script}", registry=registry)
    patches = [
        fix
        for each in ("bastion", "endpoint")
        for fix in found["another's cluster"].finding(f"wrong-stage-{each}")["fixes"]
    ]
    for fix in patches:
        saved = script.parent / fix["note"].rpartition("< ")[2]
        saved.write_text(fix["body"])
        subprocess.run(fix["note"], shell=True, cwd=script.parent, check=True, stdin=subprocess.DEVNULL, timeout=20)
    assert script.read_text() == text.replace("127.0.0.3", "127.0.0.1")
    found["patched"] = world.run("-k", "script", f"--tunnel-script={script}", registry=registry)
    return found


def test_a_further_stage_of_the_script_goes_through_the_environments_bastion(further: dict[str, Told]) -> None:
    told = further["as it stands"]
    assert told.outcomes()["failed"] == {"tunnel-script-bastion"}
    finding = told.finding("wrong-stage-bastion")
    assert finding["subject"].endswith("tunnel.sh, local-dev")
    assert (
        "leads local-dev through 127.0.0.3, which is another bastion, acme bastion local-dev (i-" in finding["message"]
    )


def test_a_further_stage_of_the_script_leads_to_its_own_cluster(further: dict[str, Told]) -> None:
    finding = further["another's cluster"].finding("wrong-stage-endpoint")
    assert f"which is of another cluster, {second.CLUSTER}; today's writer is acme-local-dev-" in finding["message"]
    assert further["patched"].outcomes() == {"passed": {*SCRIPT, "tunnel-script-exists"}}


# environment → its settings, the checks that could not be checked, and the only line that says why.
# Paths start at the checkout, {app}; {file} is the registry.
UNREADABLE: dict[str, tuple[dict[str, Any], set[str], str]] = {
    "script-directory": (
        {"tunnel_script": "ops"},
        SCRIPT,
        "the tunnel script is not a regular file ({app}/ops). Name another by --tunnel-script FILE.",
    ),
    "script-latin-1": (
        {"tunnel_script": "ops/latin-1.sh"},
        SCRIPT,
        "the tunnel script is not UTF-8 at byte 12 ({app}/ops/latin-1.sh). Save it as UTF-8.",
    ),
    "large-lock": (
        {"migrations": "db/large"},
        needing("migrations"),
        "the lock file is larger than 1,000,000 bytes ({app}/db/large/migration_lock.toml). Name another by "
        "--migrations DIR.",
    ),
    "wrong-key": (
        {"ssh_key": "ops/tunnel.sh"},
        needing("database") | {"tunnel-opens"},
        "the SSH key is not a private key in PEM or OpenSSH form ({app}/ops/tunnel.sh). Name the bastion's own key as "
        "ssh_key in the registry.",
    ),
    "login-expired": (
        {},  # its AWS is that of servers.expired_login
        needing("aws"),
        "AWS does not accept the credentials (ExpiredToken) (eu-central-1, the registry's keys). Renew the registry's "
        "keys.",
    ),
}
# What the file of known hosts says of the bastion → the settings. That a host is not known is told before anything
# is read where the registry has its address; see TestBeforeThisCanRun.
STRANGERS: dict[str, dict[str, Any]] = {"unknown": {}, "absent": {}, "changed": {"bastion_address": "127.0.0.1"}}


@dataclass(frozen=True)
class Neighbours:
    """One run over many environments: ``qa`` is healthy, each of the others has something wrong of its own."""

    told: Told
    registry: Path
    logins: dict[str, int]
    requests: dict[str, int]


@pytest.fixture(scope="module")
def neighbours(world: World) -> Iterator[Neighbours]:
    (world.app / "ops" / "latin-1.sh").write_bytes("QA_ENDPOINT=é\n".encode("latin-1"))
    (world.app / "db" / "large").mkdir()
    (world.app / "db" / "large" / "migration_lock.toml").write_bytes(b"#" * 1_000_001)
    hosts = world.directory / "hosts"
    hosts.mkdir()
    other = world.bastion.known_hosts(asyncssh.generate_private_key("ecdsa-sha2-nistp256"))
    (hosts / "unknown").touch()
    (hosts / "changed").write_text(other)
    others = {name: settings for name, (settings, _, _) in UNREADABLE.items()}
    others |= {name: stranger(hosts / name, **settings) for name, settings in STRANGERS.items()}
    with servers.expired_login() as url, world.counting() as (logins, requests):
        others["login-expired"] = {"aws_endpoint_url": url}
        registry = world.registry(others)
        told = world.run(env=",".join(["qa", *others]), registry=registry)
        yield Neighbours(told, registry, dict(logins), dict(requests))
    assert (hosts / "unknown").read_bytes() == b""  # nothing is learnt
    assert (hosts / "changed").read_text() == other
    assert not (hosts / "absent").exists()


def stranger(known_hosts: Path, **settings: Any) -> dict[str, Any]:
    """The settings of an environment whose bastion is not the one that this file knows."""
    return {"known_hosts": str(known_hosts), "ssh_user": servers.USERS["strangers"], **settings}


class TestNeighbours:
    def test_healthy_beside_the_broken(self, neighbours: Neighbours) -> None:
        assert neighbours.told.status == neighbours.told.report["exit_status"] == 1
        assert neighbours.told.environment()["verdict"] == "healthy"
        answering = {"qa", *UNREADABLE, *STRANGERS} - {"login-expired"}
        assert neighbours.requests == dict.fromkeys(answering, 1)

    @pytest.mark.parametrize("name", UNREADABLE)
    def test_unreadable(self, world: World, neighbours: Neighbours, name: str) -> None:
        told = neighbours.told
        _, unread, said = UNREADABLE[name]
        line = said.format(app=world.app, file=neighbours.registry)
        assert told.environment(name)["verdict"] == "unknown"
        assert told.outcomes(name)["unknown"] == unread
        reasons = {check["reason"] for check in told.checks(name).values() if check["outcome"] == "unknown"}
        assert reasons == {line}
        assert told.block(name).count(line) == 1
        assert told.block(name).count("could not check") == 1

    @pytest.mark.parametrize("name", STRANGERS)
    def test_host_key(self, world: World, neighbours: Neighbours, name: str) -> None:
        told, port = neighbours.told, world.bastion.port
        assert told.environment(name)["verdict"] == "blocked"
        code = "host-key-changed" if name == "changed" else "host-key-unknown"
        message = told.finding(code, name)["message"]
        assert f"ssh-keyscan -p {port} 127.0.0.1" in message
        assert str(world.directory / "hosts" / name) in message
        assert ("differs from" if name == "changed" else "is not in") in message
        assert message in told.block(name)
        assert f"ssh-keyscan -p {port} 127.0.0.1 | ssh-keygen -lf -" in told.block(name)
        assert told.outcomes(name)["failed"] == {"tunnel-opens"}
        assert told.outcomes(name)["unknown"] == needing("database")
        causes = {check["explained_by"] for check in told.checks(name).values() if check["outcome"] == "unknown"}
        assert causes == {f"{code}:127.0.0.1:{port}"}

    def test_no_key_is_offered_to_a_stranger(self, neighbours: Neighbours) -> None:
        assert neighbours.logins == {"ubuntu": 2 + 2 + 2 + 2}  # qa, two scripts, large-lock
        assert servers.USERS["strangers"] not in neighbours.logins


# What is missing on this machine, in the order in which it is told, which is not that of --env. Each has the
# environment, its settings, what is missing and what provides it. {hosts} is a directory, {scan} how the bastion is
# asked for its host key.
MISSING: tuple[tuple[str, dict[str, Any], str, str], ...] = (
    (
        "no-migrations",
        {"migrations": "db/nowhere"},
        "there is no directory of migrations at {app}/db/nowhere",
        "Name it: pytest --env={names} --app=DIR, or --migrations DIR",
    ),
    (
        "no-profile",
        NO_KEYS,
        "there is no AWS profile acme-deploy, and the default chain has no credentials",
        "Run aws configure sso --profile acme-deploy, or export AWS_PROFILE.",
    ),
    (
        "no-key",
        {"ssh_key": "ops/none.pem"},
        "there is no key of the bastion at {app}/ops/none.pem (ssh_key: {file})",
        "Put it there, for you alone: install -m 600 FROM {app}/ops/none.pem",
    ),
    *(
        (
            f"host-{name}",
            {"known_hosts": f"{{hosts}}/{name}", "bastion_address": "127.0.0.1"},
            f"the host key of the bastion 127.0.0.1 is not in {{hosts}}/{name}",
            f"Ask for it once: {{scan}} > {{hosts}}/{name}.scanned && ssh-keygen -lf {{hosts}}/{name}.scanned; only "
            f"if that fingerprint is the instance's own: cat {{hosts}}/{name}.scanned >> {{hosts}}/{name} && "
            f"rm {{hosts}}/{name}.scanned",
        )
        for name in ("unknown", "absent")
    ),
)


@pytest.fixture(scope="module")
def obstructed(world: World) -> tuple[Told, dict[str, str]]:
    """A run over ``qa``, which lacks nothing, and environments that lack one thing each; and what {…} stands for."""
    hosts = world.directory / "no-hosts"
    hosts.mkdir()
    (hosts / "unknown").write_text(world.bastion.known_hosts().replace("127.0.0.1", "127.0.0.2"))
    before, connections = (hosts / "unknown").read_bytes(), world.bastion.connections
    others = {
        name: {key: value.format(hosts=hosts) if key == "known_hosts" else value for key, value in settings.items()}
        for name, settings, _, _ in MISSING
    }
    registry = world.registry(others)
    names = ",".join(["host-unknown", "host-absent", "no-key", "no-profile", "no-migrations", "qa"])
    with world.counting() as (logins, requests):
        told = world.run(env=names, registry=registry)
        assert not logins
        assert not requests
    assert world.bastion.connections == connections
    assert (hosts / "unknown").read_bytes() == before  # nothing is learnt
    assert not (hosts / "absent").exists()
    scan = f"ssh-keyscan -p {world.bastion.port} 127.0.0.1"
    return told, {"app": str(world.app), "file": str(registry), "hosts": str(hosts), "names": names, "scan": scan}


class TestBeforeThisCanRun:
    """What the pre-flight knows without asking anybody ends the run; what it cannot know TestNeighbours has."""

    def test_it_is_one_list_for_all_environments(self, obstructed: tuple[Told, dict[str, str]]) -> None:
        told, words = obstructed
        assert told.status == 4
        lines = ["ERROR: Before this can run:"]
        for number, (name, _, what, remedy) in enumerate(MISSING, start=1):
            lines += [f"  {number}. {name}: {what.format(**words)}.", f"     {remedy.format(**words)}"]
        assert told.result.err.rstrip().splitlines() == lines

    def test_nothing_is_judged_and_nothing_written(self, obstructed: tuple[Told, dict[str, str]]) -> None:
        told, _ = obstructed
        assert "HEALTHY" not in told.result.text
        assert not [path for path in told.directory.rglob("*") if path.is_file()]

    def test_one_that_lacks_nothing_is_judged_alone(self, healthy: Told) -> None:
        assert "Before this can run" not in healthy.result.text


def test_two_clusters_fit(world: World) -> None:
    world.aws.cluster("acme-qa-a-restored")  # the first by its name, the last by its age
    try:
        told = world.run()
    finally:
        world.aws.remove_cluster("acme-qa-a-restored")
    assert told.status == 1
    assert told.outcomes()["failed"] == {"one-cluster"}
    assert told.finding("cluster-ambiguous")["evidence"] == {"clusters": ["acme-qa-a-restored", second.CLUSTER]}
    unread = {name: check for name, check in told.checks().items() if check["outcome"] == "unknown"}
    assert unread.keys() == needing("database") | SCRIPT | CLUSTER | {"tunnel-opens"}
    assert {check["explained_by"] for check in unread.values()} == {"cluster-ambiguous:acme-qa-"}
    assert f"2 clusters named acme-qa-…; AWS has acme-qa-a-restored, {second.CLUSTER}" in told.flat
    assert "endpoint" not in told.environment()["facts"]


@dataclass(frozen=True)
class Words:
    """What a user got wrong, and the only line that answers it; ``{file}`` is the registry."""

    line: str
    arguments: tuple[str, ...] = ()
    env: str = "qa"
    changes: dict[str, Any] = field(default_factory=dict)
    text: str | None = None


WORDS = {
    "malformed registry": Words(
        "{file}: not valid TOML: Expected ']' at the end of a table declaration (at line 1, column 4). Mend that line.",
        text="[qa\n",
    ),
    "unknown key": Words("{file}: [qa]: unknown key ssh_usr. Did you mean ssh_user?", changes={"ssh_usr": "ubuntu"}),
    "wrong type": Words(
        "{file}: [qa]: ssh_port = '22' is not a whole number. Write it as one.", changes={"ssh_port": "22"}
    ),
    "unknown environment": Words("--env: no environment 'q' in {file}; did you mean qa or qa2?", env="q"),
    "nothing like it": Words("--env: no environment 'xyz' in {file}; it has local-dev, qa, qa2, local.", env="qa,xyz"),
    "missing variable": Words(
        "{file}: [qa]: database = '${{NO_SUCH}}': the variable NO_SUCH is not set. Export it, or write the value.",
        changes={"database": "${NO_SUCH}"},
    ),
    "wrong phase": Words("--phase: phase 'durign' is none of before, after, nightly.", arguments=("--phase=durign",)),
    "fault without local": Words(
        "--fault breaks the local environment only. Add --env=local, or leave it out.",
        arguments=("--fault=failed-migration",),
    ),
}


@pytest.fixture(scope="module")
def usage(world: World) -> dict[str, tuple[Path, Told]]:
    registries = {name: world.registry(**words.changes) for name, words in WORDS.items()}
    for name, words in WORDS.items():
        if words.text is not None:
            registries[name].write_text(words.text)
    with world.counting() as (logins, requests):
        told = world.together(
            {
                name: {"words": words.arguments, "env": words.env, "registry": registries[name]}
                for name, words in WORDS.items()
            }
        )
        assert not logins
        assert not requests
    return {name: (registries[name], told[name]) for name in WORDS}


@pytest.mark.parametrize("name", WORDS)
def test_users_words(usage: dict[str, tuple[Path, Told]], name: str) -> None:
    file, told = usage[name]
    assert told.status == 4
    assert told.result.err.strip() == "ERROR: " + WORDS[name].line.format(file=file)
    assert told.result.out == ""


def test_default_chain_stands_in_for_an_absent_profile(singles: dict[str, Told]) -> None:
    told = singles["default chain"]
    assert told.status == 0
    assert told.environment()["verdict"] == "healthy"
    header, _, _ = told.result.out.partition("checks/test_aws.py")
    assert "(AWS default chain, as profile acme-deploy is absent)" in header


class TestSelection:
    @pytest.mark.parametrize(("how", "count"), [("-k", 2), ("node id", 1)])
    def test_partial(self, singles: dict[str, Told], how: str, count: int) -> None:
        told = singles[how]
        assert told.status == 0
        assert told.environment()["verdict"] == "partial"
        assert f"qa: PARTIAL before a deploy; {count} of {COUNT} checks ran, {count} passed." in told.flat
        assert "HEALTHY" not in told.flat

    def test_stops_at_the_first(self, singles: dict[str, Told]) -> None:
        told = singles["-x"]
        assert told.status == told.report["exit_status"] == 10
        assert f"qa: UNKNOWN before a deploy; 2 of {COUNT} checks ran, 1 could not be checked, 1 passed." in told.flat
        assert "stopping after 1 failures" in told.flat

    def test_what_is_said_without_the_finding_reads_well(self, singles: dict[str, Told]) -> None:
        """The check that has the finding did not run, so the line stands for itself."""
        (unread,) = singles["-x"].outcomes()["unknown"]
        reason = singles["-x"].checks()[unread]["reason"]
        assert ". (" not in reason
        assert "See the finding" not in reason

    def test_collecting_calls_nobody(self, world: World) -> None:
        connections = world.bastion.connections
        with world.counting() as (_, requests):
            told = world.run("--co", "-q", env="qa,qa2")
            assert not requests
        assert told.status == 5
        assert world.bastion.connections == connections
        assert told.result.out.count("[qa]") == told.result.out.count("[qa2]") == COUNT


@pytest.fixture(scope="module")
def runs(world: World) -> Runs:
    """The same broken world, without and with -n."""
    found = {}
    registry = world.registry()
    with world.row("20241111_gone"), world.row(HOSTILE, failed=True):
        for words in ("", "-n2"):
            with world.counting() as (logins, requests):
                told = world.run(*words.split(), env="qa,qa2", registry=registry, real=bool(words))
                found[words] = told, dict(logins), dict(requests)
    return found


class TestTwoEnvironments:
    @pytest.mark.parametrize("words", ["", "-n2"])
    def test_each_is_read_once(
        self, runs: Runs, words: str
    ) -> None:  # fmt: skip
        told, logins, requests = runs[words]
        assert told.status == told.report["exit_status"] == 1
        assert requests == {"qa": 1, "qa2": 1}
        assert logins == {"ubuntu": 2, "second": 2}  # each its pre-flight and its tunnel

    def test_same_results(self, runs: Runs) -> None:
        alone, spread = (self._timeless(runs[words][0]) for words in ("", "-n2"))
        assert alone == spread
        assert [each["verdict"] for each in alone] == ["blocked", "blocked"]

    def test_same_words(self, runs: Runs) -> None:
        """The block of each environment, from its verdict to the blank line at its end."""
        for name in ("qa", "qa2"):
            alone, spread = (
                runs[words][0].result.out.partition(f"\n{name}: BLOCKED")[2].partition("\n\nqa2: ")[0].split("====")[0]
                for words in ("", "-n2")
            )
            alone, spread = (re.sub(r"\(\d+\.\d s\)", "", text).strip() for text in (alone, spread))
            assert alone == spread != ""

    @staticmethod
    def _timeless(told: Told) -> list[dict[str, Any]]:
        environments: list[dict[str, Any]] = json.loads(json.dumps(told.report["environments"]))
        for environment in environments:
            environment["checks"].sort(key=lambda check: check["id"])
            timed = [environment["rehearsal"] or {}, *environment["checks"]]
            timed += [fix["proof"] for check in environment["checks"] for f in check["findings"] for fix in f["fixes"]]
            for each in timed:
                each.pop("seconds", None)
        return environments


class TestSecrets:
    def test_healthy_and_refused(self, world: World, healthy: Told, singles: dict[str, Told]) -> None:
        refused = singles["refused"]
        assert refused.status == 1
        assert refused.finding("database-login-refused")["subject"] == "acme_reader@acme"
        for told in (healthy, refused):
            assert len(told.outputs()) > 10  # with junit and Allure
            self._assert_kept(world, told)

    def test_failing_test_of_a_users_own(self, world: World, tmp_path: Path) -> None:
        """The locals of a plain assertion that fails are shown, and here they are the secrets themselves."""
        own = tmp_path / "test_own.py"
        own.write_text(
            "def test_own(environment, secret_read, functions_read, admin_key, database):\n"
            "    everything = [environment, secret_read, functions_read, admin_key]\n"
            "    assert {'all': everything} == f'{everything}'\n"
        )
        told = world.run(
            "-vv", "--showlocals", "-c", str(ROOT / "pytest.ini"), "-p", "conftest", "--junitxml=@RUN@/junit.xml",
            "--alluredir=@RUN@/allure", str(own),
        )  # fmt: skip
        assert told.status == 1
        assert "acme_reader" in told.result.out  # locals were shown
        assert "***" in told.result.out
        self._assert_kept(world, told)

    @pytest.mark.parametrize("how", ["outside a table", "wrong type", "missing variable"])
    def test_key_written_into_a_wrong_registry(self, world: World, how: str) -> None:
        key = world.canaries[2].text
        written = {
            "outside a table": "${ACME_SECRET_KEY}",
            "wrong type": [key],
            "missing variable": f"{key}${{NO_SUCH}}",
        }
        registry = world.registry(aws_secret_access_key=written[how])
        if how == "outside a table":
            registry.write_text(f"aws_secret_access_key = {json.dumps(key)}\n{registry.read_text()}")
        told = world.run(registry=registry)
        world.runs.remove(told)  # judged here
        assert told.status == 4
        assert "aws_secret_access_key" in told.result.err
        self._assert_kept(world, told)

    def test_no_run_of_this_module(self, world: World, healthy: Told) -> None:
        """Whatever ran before: no secret, no traceback, nothing written to the API."""
        assert healthy in world.runs
        for told in world.runs:
            self._assert_kept(world, told)
            assert "Traceback" not in told.result.text
        assert world.api.requests["POST"] == 0

    @staticmethod
    def _assert_kept(world: World, told: Told) -> None:
        shown = [
            f"the {canary.name} in {place}"
            for place, data in told.outputs().items()
            for canary in world.canaries
            if canary.shown(data)
        ]
        assert not shown
