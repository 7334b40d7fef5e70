"""Another user prepares the shared places before a run: nothing of theirs is waited for, followed, ended or removed."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from migration_health import launcher
from plugins.paths import ROOT
from tests.support.load import patience

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user, to attack as that one")

OURS = f"migration-health-{os.geteuid()}"
USE = """
import sys
from fixtures.clients.private_directory import private_directory
try:
    with private_directory("attacked") as directory:
        (directory / "made").write_text("ours")
        print(directory)
except OSError as error:
    print("refused:", error.strerror, error.filename)
"""
# What a stranger runs in a place where everybody may make files; "$1" is the name that this user's directory has.
PREPARED = {
    "a fifo as the number of an earlier run's server": "mkdir -p migration-health-clone-1-abc/postgres; "
    "touch migration-health-clone-1-abc/owner.lock; mkfifo migration-health-clone-1-abc/postgres/postmaster.pid",
    "the name, open to all": 'mkdir -m 777 "$1"',
    "the name, with a fifo as a server's number": 'mkdir -p "$1/clone-1-abc/postgres"; '
    'mkfifo "$1/clone-1-abc/postgres/postmaster.pid"',
    "the name as a link to a directory of the victim": 'ln -s ../victim "$1"',
    "the name as a link to nothing": 'ln -s /nowhere/at/all "$1"',
    "the name as a link to itself": 'ln -s "$1" "$1"',
    "the name as a file": 'touch "$1"',
    "the name as a fifo": 'mkfifo "$1"',
    "the other names too": 'mkdir -m 777 "$1"; for n in a b c; do mkdir -m 777 "$1-$n"; done; '
    'ln -s ../victim "$1-d"; mkfifo "$1-e"',
    "many names": 'mkdir "$1"; for n in $(seq 100); do mkdir "$1-$n"; done',
}


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory as /tmp is; beside it, one of the victim's own."""
    top = Path(tempfile.mkdtemp(prefix="attacked-", dir="/tmp"))
    top.chmod(0o755)
    for name, mode in (("shared", 0o1777), ("victim", 0o700)):
        (top / name).mkdir()
        (top / name).chmod(mode)
    (top / "victim" / "kept.json").write_text("{}")
    (top / "victim" / ".half").mkdir()
    os.utime(top / "victim" / ".half", (1, 1))
    yield top / "shared"
    shutil.rmtree(top, ignore_errors=True)


def stranger(place: Path, script: str, *words: str) -> bool:
    """Run a script as the stranger; whether it went well."""
    command = ["/bin/sh", "-c", script, "stranger", *words]
    done = subprocess.run(
        command, cwd=place, capture_output=True, timeout=patience(60), check=False,
        user=65534, group=65534, extra_groups=[],
    )  # fmt: skip
    return not done.returncode


def tree(directory: Path) -> set[tuple[str, int, int]]:
    """Everything below a directory: path, kind and owner."""
    found = [directory, *directory.rglob("*")]
    return {(str(path), stat.S_IFMT(path.lstat().st_mode), path.lstat().st_uid) for path in found}


def use(place: Path, script: str = USE, **variables: str) -> str:
    """What a run's first need of a directory comes to; a wait for a stranger would never end."""
    return subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env={**os.environ, "TMPDIR": str(place), **variables},
        capture_output=True, text=True, timeout=patience(30), check=True,
    ).stdout.strip()  # fmt: skip


@pytest.mark.parametrize("prepared", PREPARED)
def test_what_a_stranger_prepared_is_neither_used_nor_removed(place: Path, prepared: str) -> None:
    assert stranger(place, PREPARED[prepared], OURS)
    before = tree(place.parent)
    made = Path(use(place))
    assert made.is_relative_to(place)
    assert made.parent.name.startswith(OURS)
    left = tree(place.parent)
    others = {entry for entry in left - before if entry[0] != str(made.parent)}
    assert (before - left, others) == (set(), set())  # what is new is at most the empty directory of this user


INSIDE = """
import os, subprocess, sys
from fixtures.clients.private_directory import private_directory
with private_directory("attacked") as directory:
    (directory / "made").write_text("ours")
    print(directory, flush=True)
    sys.stdin.read()
"""
TAKING = (
    'mv "$1" "$1-mine"', 'rmdir "$1"', 'rm -rf "$1"', 'ln -s /tmp "$1/clone-1-abc"', 'touch "$1/a"', 'ls "$1"',
    'mkdir "$1/clone-1-abc"', 'ln "$2/made" mine', 'cat "$2/made"', 'ls "$2"', 'touch "$2/a"', 'mv "$2" "$2-mine"',
)  # fmt: skip


def test_names_of_ours_cannot_be_taken(place: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", INSIDE], cwd=ROOT, env={**os.environ, "TMPDIR": str(place)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        directory = Path(process.stdout.readline().strip())
        assert directory.parent == place / OURS
        before = tree(place)
        assert [each for each in TAKING if stranger(place, each, OURS, str(directory))] == []
        assert tree(place) == before
    assert list(place.iterdir()) == []


# In what an earlier run of root's left: the server's own user may have changed its files.
LEFT = {
    "a fifo": "mkfifo postmaster.pid",
    "a link": 'ln -s "$2" postmaster.pid',
    "a hard link": 'ln "$2" postmaster.pid || ln -s "$2" postmaster.pid',
    "a number of the victim's": 'echo "$1" > postmaster.pid',
    "a negative one": 'echo "-$1" > postmaster.pid',
    "all processes": "echo -1 > postmaster.pid",
    "the first process": "echo 1 > postmaster.pid",
    "a large file": 'head -c 100000000 /dev/zero | tr "\\0" 1 > postmaster.pid',
    "no number": "echo x > postmaster.pid",
    "a directory": "mkdir postmaster.pid",
    "a socket's name": "ln -s /dev/zero postmaster.pid",
    "links out": "ln -s ../../../../victim victim; ln -s /etc etc; echo 0 > postmaster.pid",
}


def test_what_a_server_user_left_ends_nothing_and_goes(place: Path) -> None:
    parent = place / OURS
    parent.mkdir(mode=0o711)
    data = [parent / f"clone-1-{number}" / "postgres" for number in range(len(LEFT))]
    for each in data:
        each.mkdir(parents=True)
        each.parent.chmod(0o711)
        os.chown(each, 65534, 65534)
    # A process of root's that names the directories, as a copy or a backup would.
    with subprocess.Popen(["/bin/sh", "-c", "sleep 300; :", *map(str, data)], start_new_session=True) as victim:
        try:
            number = place.parent / "number"
            number.write_text(f"{victim.pid}\n")
            number.chmod(0o644)
            for each, script in zip(data, LEFT.values(), strict=True):
                assert stranger(each, script, str(victim.pid), str(number)), script
            before = tree(place.parent / "victim")
            assert Path(use(place)).parent == parent
            assert victim.poll() is None
        finally:
            os.killpg(victim.pid, 9)
    assert list(place.iterdir()) == []
    assert tree(place.parent / "victim") == before


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        ("chmod 777 .", "other users can replace what is in it"),
        ("chown 65534 .", "belongs to another user"),
        ("chmod 770 .; chgrp 65534 .", "other users can replace what is in it"),
        ("chmod 777 ..", "other users can replace what is in it"),
    ],
)
def test_place_that_others_can_change_is_refused_by_name(place: Path, prepare: str, reason: str) -> None:
    subprocess.run(["/bin/sh", "-c", prepare], cwd=place, check=True)
    assert use(place).startswith(f"refused: {reason}")
    assert list(place.iterdir()) == []


# Caches


CACHE = """
import os
from pathlib import Path
from fixtures.clients import cache
from fixtures.clone.servers import cluster_template, npm_postgres
from health.secrets.secret import Secret
data = Path(os.environ["DATA"])
program = data / "postgres"
cluster_template.keep(program, "postgres", data, Secret("password"))
for number in range(30):
    cache.keep(f"k{number}", 1)
print(cache.load("planted"), cluster_template.find(program, "postgres"), npm_postgres.places())
"""
PLANTED = 'mkdir -p "$d/clusters" "$d/postgres/linux-x64-18.4.0/native/bin"; echo 1 > "$d/planted.json"; '
CACHES = {
    "the cache, open to all": f'd=migration-health; {PLANTED} chmod -R 777 "$d"',
    "the cache, closed": f'd=migration-health; {PLANTED} chmod 700 "$d"',
    "a link to a directory of the victim": "ln -s ../victim migration-health",
    "a link to a directory of the stranger": f"d=mine; {PLANTED} ln -s mine migration-health",
    "a fifo": "mkfifo migration-health",
}


@pytest.mark.parametrize("prepared", CACHES)
def test_cache_of_a_stranger_is_neither_read_nor_written(place: Path, tmp_path: Path, prepared: str) -> None:
    (tmp_path / "postgres").write_text("a program")
    assert stranger(place, CACHES[prepared])
    before = tree(place.parent)
    assert use(place, CACHE, XDG_CACHE_HOME=str(place), DATA=str(tmp_path)) == "None None []"
    assert tree(place.parent) == before


@pytest.mark.parametrize("mode", ["777 .", "777 ..", "757 ."])
def test_cache_below_a_directory_that_others_can_change_is_not_used(place: Path, tmp_path: Path, mode: str) -> None:
    (tmp_path / "postgres").write_text("a program")
    subprocess.run(["/bin/sh", "-c", f"chmod {mode}"], cwd=place, check=True)
    assert use(place, CACHE, XDG_CACHE_HOME=str(place), DATA=str(tmp_path)) == "None None []"
    assert list(place.iterdir()) == []


@pytest.mark.parametrize(("prepared", "used"), [("true", True), *((script, False) for script in CACHES.values())])
def test_pytest_of_an_installed_suite_keeps_nothing_in_a_strangers_cache(
    place: Path, monkeypatch: pytest.MonkeyPatch, prepared: str, used: bool
) -> None:
    monkeypatch.setattr(launcher, "INSTALLED", True)
    monkeypatch.setenv("XDG_CACHE_HOME", str(place))
    assert stranger(place, prepared)
    assert (f"cache_dir={place}/migration-health/pytest" in launcher._of_wheel()) is used
    assert ("no:cacheprovider" in launcher._of_wheel()) is not used
