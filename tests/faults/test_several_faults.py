"""Several faults at once, applied by the programs that a person would use; and patches of any tunnel script."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import pytest

from fixtures.facts import Facts
from health.finding import Fix
from health.report.root_causes import explain
from plugins import fixes
from plugins.run.check_catalog import all_checks
from tests.support.faults import Broken, broken_by, rehearse

SEVERAL = ("failed-migration", "stale-endpoint", "stale-bastion", "orphaned-migration")


@pytest.fixture(scope="module")
def several() -> Iterator[Broken]:
    with broken_by(*SEVERAL) as world:
        yield world


def test_several_faults_at_once(several: Broken) -> None:
    causes = explain(several.judged.all)
    found = {finding.code for finding in several.judged.all}
    assert not several.judged.unanswered
    assert {finding.code for finding in several.judged.all if finding.key not in causes} == several.raises
    assert found - several.raises == {"api-reports-failed"}
    assert list(causes.values()) == [finding.key for finding in several.judged.all if finding.code in SEVERAL[:1]]


def test_patches_come_first_and_do_not_stop_the_rehearsal_of_the_rest(several: Broken) -> None:
    rehearsed = rehearse(several)
    assert rehearsed.refuted == []
    assert (rehearsed.status, rehearsed.detail) == ("proven", None)
    first, second, *_, last = rehearsed.kinds
    assert ((first, second), last) == (("patch", "patch"), "command")
    assert rehearsed.apart == (1, 2, len(rehearsed.kinds))


def test_sql_by_psql(several: Broken, tmp_path: Path) -> None:
    file = tmp_path / "fix.sql"

    def psql(sql: str | None) -> subprocess.CompletedProcess[str]:
        assert sql is not None
        file.write_text(sql)
        return several.psql("-v", "ON_ERROR_STOP=1", "-f", file, several.env.database)

    assert len(several.fixes("sql")) == 3
    for _, fix in several.fixes("sql"):
        with several.restoring() as before:
            assert psql(fix.body).stdout.split() == ["DO"]
            after = several.state()
            assert after != before
            refused = psql(fix.body)
            assert refused.returncode == 3
            assert "Nothing was changed" in refused.stderr
            assert several.state() == after
            assert psql(fix.undo).returncode == 0
            assert several.state() == before


# Patches

OLD = "old.cluster-c0ffee.us-east-1.rds.amazonaws.com"
SCRIPTS = {
    "no newline at the end": b"#!/bin/sh\nLOCAL_BASTION_HOST=127.0.0.99\nLOCAL_ENDPOINT=%(old)s\nexec ssh",
    "values at the end": b"#!/bin/sh\nLOCAL_BASTION_HOST=127.0.0.99\nLOCAL_ENDPOINT=%(old)s",
    "CRLF": b"#!/bin/sh\r\nLOCAL_BASTION_HOST=127.0.0.99\r\nLOCAL_ENDPOINT=%(old)s\r\nexec ssh\r\n",
    "CRLF, no newline at the end": b"#!/bin/sh\r\nLOCAL_BASTION_HOST=127.0.0.99\r\nLOCAL_ENDPOINT=%(old)s",
    "form feed": b"#!/bin/sh\n# one\x0c# two\nLOCAL_BASTION_HOST=127.0.0.99\nexport A=1\nLOCAL_ENDPOINT=%(old)s\n",
    "carriage return": b"#!/bin/sh\n# one\r# two\nLOCAL_BASTION_HOST=127.0.0.99\nexport A=1\nLOCAL_ENDPOINT=%(old)s\n",
    "line separator": b"#!/bin/sh\n# a\xe2\x80\xa8b\nLOCAL_BASTION_HOST=127.0.0.99\nA=1\nLOCAL_ENDPOINT=%(old)s\n",
    "the same line twice": b"LOCAL_ENDPOINT=%(old)s\nA=1\nLOCAL_ENDPOINT=%(old)s\nLOCAL_BASTION_HOST=127.0.0.99\n",
    "form feeds, and another stage's same line": b"""\
case "$1" in
  local) # one\x0ctwo\x0cthree\x0cfour
    ENDPOINT=%(old)s
    BASTION_HOST=127.0.0.99
    ;;
  staging)
    ENDPOINT=%(old)s
    BASTION_HOST=127.0.0.99
    ;;
esac
""",
}
CHECKS_OF_SCRIPT = ("tunnel-script-endpoint", "tunnel-script-bastion")


def patches(world: Broken) -> dict[str, Fix]:
    """By code, the patches for what the script checks find now."""
    read = reading_the_script(world)
    found = [finding for check in CHECKS_OF_SCRIPT for finding in all_checks()[check].judge(read)]
    return {finding.code: fix for finding in found for fix in fixes.suggest(finding, read)[0]}


def reading_the_script(world: Broken) -> Facts:
    """Facts of which only those that hang on the script are read anew."""
    return Facts(world.env, {name: world.read[name] for name in ("cluster", "clusters", "bastions", "bastion_address")})


def run_patch(command: str | None, directory: Path) -> None:
    assert command is not None
    done = subprocess.run(
        command, shell=True, cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def save(codes: list[str], patched: dict[str, Fix], directory: Path) -> list[Path]:
    """A directory for each patch, as all are saved under the one name that their commands have."""
    places = [directory / code for code in codes]
    for code, place in zip(codes, places, strict=True):
        place.mkdir(parents=True)
        (place / patched[code].note.rpartition("< ")[2]).write_bytes(patched[code].body.encode())
    return places


def test_patches_in_either_order(several: Broken, tmp_path: Path) -> None:
    script = several.env.tunnel_script
    before, mode = script.read_bytes(), script.stat().st_mode
    patched = {finding.code: fix for finding, fix in several.fixes("patch")}
    assert set(patched) == {"stale-endpoint", "stale-bastion"}
    for codes in permutations(patched):
        places = save(list(codes), patched, tmp_path / codes[0])
        for number, (code, place) in enumerate(zip(codes, places, strict=True), 1):
            run_patch(patched[code].note, place)
            assert set(patches(several)) == set(codes[number:])
        judged = several.judge_anew("tunnel_script")
        assert judged.serious == {key for key in several.judged.serious if not key.startswith("stale-")}
        assert script.stat().st_mode == mode
        assert list(script.parent.iterdir()) == [script]
        for code, place in zip(codes, places, strict=True):
            run_patch(patched[code].undo, place)
        assert script.read_bytes() == before


@pytest.mark.parametrize("name", SCRIPTS)
def test_patches_of_any_text(several: Broken, tmp_path: Path, name: str) -> None:
    script = several.env.tunnel_script
    kept = script.read_bytes()
    before = SCRIPTS[name] % {b"old": OLD.encode()}
    try:
        script.write_bytes(before)
        patched = patches(several)
        assert set(patched) == {"stale-endpoint", "stale-bastion"}
        places = save(list(patched), patched, tmp_path)
        for fix, place in zip(patched.values(), places, strict=True):
            run_patch(fix.note, place)
        assert patches(several) == {}
        changed = zip(before.split(b"\n"), script.read_bytes().split(b"\n"), strict=True)
        assert len([new for old, new in changed if new != old]) == 2
        for fix, place in zip(patched.values(), places, strict=True):
            run_patch(fix.undo, place)
        assert script.read_bytes() == before
    finally:
        script.write_bytes(kept)


@pytest.mark.parametrize("before", ["", "# one\x0c# two\n", "# one\r# two\n", "# one\u2028# two\n"])
def test_no_patch_shows_a_secret_beside_the_value(several: Broken, before: str) -> None:
    script = several.env.tunnel_script
    kept = script.read_bytes()
    try:
        script.write_text(f'{before}A=1\nLOCAL_ENDPOINT="{OLD}"; export PGPASSWORD=hunter2\nB=2\n', newline="")
        read = reading_the_script(several)
        (finding,) = all_checks()["tunnel-script-endpoint"].judge(read)
        suggested, reason = fixes.suggest(finding, read)
        assert suggested == []
        assert reason is not None
        assert "secret" in reason
    finally:
        script.write_bytes(kept)
