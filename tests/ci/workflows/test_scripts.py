"""The scripts of the workflows, run with bash against a GitHub that a program stands in for."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from health.sanitize import markdown
from plugins.paths import ROOT
from tests.support.fake_gh import BOT, FakeGh
from tests.support.load import patience
from tests.support.workflows import GITHUB

COMMIT = "0123456789abcdef0123456789abcdef01234567"
MARKER = "<!-- migration-health: dev -->"


class Place:
    """A directory where a script runs, with a home and a GitHub."""

    def __init__(self, directory: Path) -> None:
        self.here = directory / "checkout"
        self.home = directory / "home"
        self.report = self.here / "report"
        for path in (self.here, self.home, self.report):
            path.mkdir()
        self.github = FakeGh(directory / "github")
        (self.home / "output").touch()

    def script(self, script: str | Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a script of the action, or another."""
        known = {
            "PATH": f"{self.github.bin}:{self.home}/bin:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.home),
            "GITHUB_OUTPUT": str(self.home / "output"),
            "GITHUB_REPOSITORY": "acme/shop",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_RUN_ID": "42",
            "GITHUB_REF_NAME": "main",
            "ENVIRONMENT": "dev",
            "PULL_REQUEST": "7",
            "REPORT": str(self.report),
        }
        return subprocess.run(
            [str(GITHUB / "action" / script), *words], cwd=self.here, env=known | variables, capture_output=True,
            text=True, check=False, timeout=patience(120), stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def program(self, path: Path, text: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path

    @property
    def suite(self) -> Path:
        return self.home / ".migration-health" / "venv" / "bin" / "migration-health"

    def summary(self, text: str) -> None:
        (self.report / "summary.md").write_text(text)

    def judged(self, verdict: str, *found: tuple[str, str], outcome: str = "failed", sound: bool = True) -> None:
        """Write a record with findings."""
        self.summary(f"# {verdict}")
        findings = [{"severity": "error", "code": code, "subject": subject, "waived": None} for code, subject in found]
        checks: list[dict[str, Any]] = [{"outcome": "passed", "findings": []}]
        if findings:
            checks.append({"outcome": outcome, "findings": findings})
        environment = {"name": "dev", "verdict": verdict, "sound": sound, "checks": checks}
        (self.report / "report.json").write_text(json.dumps({"environments": [environment]}))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


# --- install.sh


@pytest.mark.parametrize(
    ("suite", "said"),
    [
        ("", "MIGRATION_HEALTH"),
        ("--index-url=http://evil.example", "hyphen"),
        ("git+https://github.com/acme/migration-health", "full commit"),
        ("git+https://github.com/acme/migration-health@main", "full commit"),
        ("git+https://github.com/acme/migration-health@v1.0.0", "full commit"),
        ("migration-health @ git+https://github.com/acme/migration-health@main", "full commit"),
        (f"git+https://github.com/acme/migration-health@{COMMIT[:12]}", "full commit"),
    ],
)
def test_what_is_not_pinned_is_not_installed(place: Place, suite: str, said: str) -> None:
    done = place.script("install.sh", SUITE=suite, PYTHON="/bin/false")
    assert (done.returncode, said in done.stdout) == (4, True)
    assert not place.suite.exists()


@pytest.mark.parametrize(
    "suite",
    [
        f"git+https://github.com/acme/migration-health@{COMMIT}",
        f"migration-health @ git+ssh://git@github.com/acme/migration-health@{COMMIT}",
        "./migration health",
        "migration-health==1.0.0",
    ],
)
def test_pip_is_given_the_requirement_as_one_word(place: Place, suite: str) -> None:
    python = place.program(
        place.home / "python",
        # A Python whose pip writes down its words, and installs a program that answers.
        f'[ "$2" != venv ] || {{ mkdir -p "$4/bin"; cp "$0" "$4/bin/python"; exit; }}\n'
        f'for word; do echo "$word"; done > {place.home}/words\n'
        f"printf '#!/bin/sh\\necho 1.0\\n' > {place.suite}; chmod +x {place.suite}",
    )
    done = place.script("install.sh", SUITE=suite, PYTHON=str(python))
    assert done.returncode == 0, done.stdout + done.stderr
    assert (place.home / "words").read_text().splitlines()[-2:] == ["--", suite]


def test_what_the_cache_brought_is_used_if_it_runs(place: Place) -> None:
    suite = f"git+https://github.com/acme/migration-health@{COMMIT}"
    place.program(place.suite, "echo migration-health 1.0")
    done = place.script("install.sh", SUITE=suite, PYTHON="/bin/false")
    assert (done.returncode, done.stdout) == (0, "migration-health 1.0\n")
    place.program(place.suite, "exit 127")  # its Python is gone
    assert place.script("install.sh", SUITE=suite, PYTHON="/bin/false").returncode != 0


# --- ssh-files.sh

KEY = {"SSH_KEY": "-----BEGIN\r\nkey\r\n-----END", "SSH_KEY_FILE": "ops/dev.pem", "KNOWN_HOSTS": "host ssh-ed25519 A"}


def test_key_and_host_key_are_written_for_this_user_only_and_the_key_is_removed(place: Place) -> None:
    assert place.script("ssh-files.sh", "write", **KEY).returncode == 0
    key, hosts = place.here / "ops" / "dev.pem", place.home / ".ssh" / "known_hosts"
    assert (key.read_text(), mode(key)) == ("-----BEGIN\nkey\n-----END\n", 0o600)
    assert (hosts.read_text(), mode(hosts), mode(hosts.parent)) == ("host ssh-ed25519 A\n", 0o600, 0o700)
    assert place.script("ssh-files.sh", "remove", **KEY).returncode == 0
    assert not key.exists()
    assert hosts.exists()


def test_what_the_runner_knows_already_stays(place: Place) -> None:
    hosts = place.home / ".ssh" / "known_hosts"
    hosts.parent.mkdir()
    hosts.write_text("github.com ssh-ed25519 B\nhost ssh-ed25519 A\n")
    assert place.script("ssh-files.sh", "write", **KEY).returncode == 0
    assert hosts.read_text() == "github.com ssh-ed25519 B\nhost ssh-ed25519 A\n"


def test_a_link_in_the_place_of_the_key_is_replaced(place: Place) -> None:
    elsewhere = place.home / "elsewhere"
    elsewhere.touch(mode=0o644)
    (place.here / "ops").mkdir()
    (place.here / "ops" / "dev.pem").symlink_to(elsewhere)
    assert place.script("ssh-files.sh", "write", **KEY).returncode == 0
    assert elsewhere.read_text() == ""
    assert mode(place.here / "ops" / "dev.pem") == 0o600


@pytest.mark.parametrize("missing", ["SSH_KEY", "KNOWN_HOSTS", "SSH_KEY_FILE"])
def test_a_secret_that_is_missing_is_said(place: Place, missing: str) -> None:
    done = place.script("ssh-files.sh", "write", **{**KEY, missing: ""})
    assert (done.returncode, "::error" in done.stdout, "BEGIN" in done.stdout + done.stderr) == (4, True, False)
    assert not (place.here / "ops" / "dev.pem").exists()


def test_an_environment_without_a_bastion_needs_neither(place: Place) -> None:
    assert place.script("ssh-files.sh", "write").returncode == 0
    assert place.script("ssh-files.sh", "remove").returncode == 0
    assert not (place.home / ".ssh").exists()


# --- judge.sh


@pytest.mark.parametrize(
    ("status", "said"), [(0, ""), (1, "blocks"), (10, "could not be answered"), (3, "status 3"), (4, "status 4")]
)
def test_the_exit_status_is_the_suites(place: Place, status: int, said: str) -> None:
    place.program(place.suite, f"exit {status}")
    done = place.script("judge.sh", ARGUMENTS="")
    assert (done.returncode, said in done.stdout) == (status, True)
    assert (place.home / "output").read_text() == f"status={status}\n"


def test_arguments_are_lines_and_no_shell_reads_them(place: Place) -> None:
    place.program(place.suite, f'for word; do echo "$word"; done > {place.home}/words')
    hostile = "--app=$(touch pwned)\n\n--waivers=a b; touch pwned\n--rows=*\n"
    assert place.script("judge.sh", ARGUMENTS=hostile).returncode == 0
    words = (place.home / "words").read_text().splitlines()
    assert words == [
        "--env=dev",
        f"--report={place.report}",
        "--app=$(touch pwned)",
        "--waivers=a b; touch pwned",
        "--rows=*",
    ]
    assert list(place.here.rglob("pwned")) == []


# --- comment.sh


def test_the_comment_is_made_once_and_then_updated(place: Place) -> None:
    place.summary('# Migration health\n\ndev: blocked `$(id)` "quoted"')
    for _ in range(2):
        done = place.script("comment.sh")
        assert done.returncode == 0, done.stdout + done.stderr
        place.summary("# Migration health\n\ndev: healthy")
    (comment,) = place.github.state["comments"]
    assert comment["body"].startswith(f"{MARKER}\n")
    assert comment["body"].endswith("dev: healthy")
    assert "https://github.com/acme/shop/actions/runs/42" in comment["body"]
    assert place.github.writes == [
        ("POST", "repos/acme/shop/issues/7/comments"),
        ("PATCH", f"repos/acme/shop/issues/comments/{comment['id']}"),
    ]
    assert '`$(id)` "quoted"' in place.github.state["calls"][1]["body"]["body"]


def test_comments_of_others_and_of_other_environments_are_left_alone(place: Place) -> None:
    others: list[Mapping[str, Any]] = [
        {"id": 1, "user": {"login": "mallory"}, "body": f"{MARKER} mine"},
        {"id": 2, "user": {"login": BOT}, "body": "<!-- migration-health: dev2 --> other"},
        {"id": 3, "user": {"login": BOT}, "body": f"quotes {MARKER}"},
    ]
    place.github.know(comments=others)
    place.summary("summary")
    assert place.script("comment.sh").returncode == 0
    assert place.github.state["comments"][:3] == others
    assert len(place.github.state["comments"]) == 4


def test_a_gate_that_has_left_no_report_is_said_to_have_not_judged(place: Place) -> None:
    assert place.script("comment.sh", REPORT=str(place.here / "none")).returncode == 0
    (comment,) = place.github.state["comments"]
    assert "**dev was not judged.**" in comment["body"]


@pytest.mark.parametrize("script", ["comment.sh", "issue.sh"])
def test_nobody_is_mentioned(place: Place, script: str) -> None:
    """GitHub finds ``@name`` in what Markdown has become, whatever it was spelt as, but not across a comment."""
    place.judged("blocked", FAILED)
    place.summary(markdown("@everybody, @acme/owners"))
    assert place.script(script).returncode == 0
    texts = [each["body"] for each in (*place.github.state["comments"], *place.github.state["issues"])]
    assert [text.endswith("@<!-- -->everybody, @<!-- -->acme/owners") for text in texts] == [True]


def test_a_long_summary_is_cut_and_says_so(place: Place) -> None:
    place.summary("```sql\n" + "é\n" * 500_000 + "```\n")
    assert place.script("comment.sh").returncode == 0
    (comment,) = place.github.state["comments"]
    assert len(comment["body"]) < 65_536
    assert comment["body"].index("This is its beginning.") < comment["body"].index("```")


def test_where_github_does_not_answer_nothing_is_repeated(place: Place) -> None:
    place.summary("summary")
    place.github.set(down=True)
    assert place.script("comment.sh").returncode != 0
    assert place.github.writes == []


# --- issue.sh

FAILED = ("failed-migration", "20260101000000_a")


def issue(place: Place) -> dict[str, Any]:
    (only,) = place.github.state["issues"]
    made: dict[str, Any] = only
    return made


def comments(place: Place) -> list[str]:
    return [comment["body"] for comment in place.github.state["comments"]]


def test_an_issue_is_opened_updated_and_closed_by_the_drift(place: Place) -> None:
    place.judged("healthy")
    assert place.script("issue.sh").returncode == 0
    assert place.github.writes == []  # no drift, no issue

    place.judged("blocked", FAILED)
    assert "Opened" in place.script("issue.sh").stdout
    assert issue(place)["title"] == "Migration drift: dev"
    assert issue(place)["labels"] == ["migration-drift"]

    place.summary("# blocked, a day older")
    assert "Updated" in place.script("issue.sh").stdout
    assert issue(place)["body"].endswith("# blocked, a day older")
    assert comments(place) == []  # nothing is new: nobody is notified

    place.judged("blocked", FAILED, ("orphaned-migration", "20250101000000_b"))
    assert place.script("issue.sh").returncode == 0
    assert len(comments(place)) == 1
    assert "have changed" in comments(place)[0]

    place.judged("unknown")
    assert "could not be judged" in place.script("issue.sh").stdout
    assert issue(place).get("state", "open") == "open"

    place.judged("healthy")
    assert "Closed" in place.script("issue.sh").stdout
    assert (issue(place)["state"], issue(place)["state_reason"]) == ("closed", "completed")
    assert "is gone" in comments(place)[1]

    place.judged("blocked", FAILED)
    assert "Opened" in place.script("issue.sh").stdout  # it is back: another issue
    assert len(place.github.state["issues"]) == 2


def test_a_warning_that_blocks_nothing_is_drift(place: Place) -> None:
    place.judged("healthy", FAILED, outcome="warned")
    assert "Opened" in place.script("issue.sh").stdout


def test_a_waived_finding_is_no_drift(place: Place) -> None:
    place.judged("healthy", FAILED, outcome="waived")
    assert place.script("issue.sh").returncode == 0
    assert place.github.writes == []


@pytest.mark.parametrize(
    "night", ["unknown", "partial", "unsound", "no report", "another environment", "half a report"]
)
def test_a_night_that_was_not_judged_closes_nothing(place: Place, night: str) -> None:
    place.judged("blocked", FAILED)
    place.script("issue.sh")
    before = place.github.state["issues"]
    file = place.report / "report.json"
    if night in {"unknown", "partial"}:
        place.judged(night)
    elif night == "unsound":
        place.judged("healthy", sound=False)
    elif night == "no report":
        file.unlink()
    elif night == "another environment":
        file.write_text(file.read_text().replace('"dev"', '"prod"'))
    else:
        file.write_text(file.read_text()[:20])
    place.script("issue.sh")
    assert place.github.state["issues"] == before


def test_issues_of_others_and_of_other_environments_are_left_alone(place: Place) -> None:
    marker = "<!-- migration-health: drift of dev, 0 -->"
    others: list[Mapping[str, Any]] = [
        {"number": 1, "user": {"login": "mallory"}, "labels": ["migration-drift"], "body": marker},
        {"number": 2, "user": {"login": BOT}, "labels": ["other"], "body": marker},
        {"number": 3, "user": {"login": BOT}, "labels": ["migration-drift"], "body": marker.replace("dev", "dev2")},
        {"number": 4, "user": {"login": BOT}, "labels": ["migration-drift"], "body": marker, "pull_request": {}},
        {"number": 5, "user": {"login": BOT}, "labels": ["migration-drift"], "body": None},
    ]
    place.github.know(issues=others)
    place.judged("healthy")
    assert place.script("issue.sh").returncode == 0
    place.judged("blocked", FAILED)
    assert "Opened" in place.script("issue.sh").stdout
    assert place.github.state["issues"][:5] == others


# --- history.sh


def artifact(number: int, **changes: Any) -> dict[str, Any]:
    run = {"head_branch": "main", "repository_id": 1, "head_repository_id": 1, **changes.pop("run", {})}
    made = {
        "id": number,
        "name": "migration-history-dev",
        "expired": False,
        "created_at": f"2026-01-{number:02}T04:17:00Z",
    }
    return {**made, "workflow_run": run, **changes}


def history(place: Place) -> subprocess.CompletedProcess[str]:
    return place.script("history.sh", ARTIFACT="migration-history-dev", FILE="history/history.jsonl")


def test_the_history_of_the_last_night_is_fetched(place: Place, tmp_path: Path) -> None:
    for number in range(1, 10):
        with zipfile.ZipFile(tmp_path / f"{number}.zip", "w") as archive:
            archive.writestr("history.jsonl", f'{{"night": {number}}}\n')
    nights: list[Mapping[str, Any]] = [
        artifact(3),
        artifact(1),
        artifact(4, expired=True),
        artifact(5, run={"head_branch": "feature"}),
        artifact(6, run={"head_repository_id": 2}),  # of a fork's pull request
        artifact(7, name="migration-history-dev2"),
    ]
    place.github.know(artifacts=nights)
    place.github.set(zip=str(tmp_path / "{}.zip"))
    done = history(place)
    assert done.returncode == 0, done.stderr
    assert (place.here / "history" / "history.jsonl").read_text() == '{"night": 3}\n'


def test_the_first_night_has_no_history(place: Place) -> None:
    done = history(place)
    assert (done.returncode, "is the first" in done.stdout) == (0, True)
    assert list((place.here / "history").iterdir()) == []


def test_a_history_that_cannot_be_fetched_is_not_taken_for_none(place: Place) -> None:
    place.github.set(down=True)
    assert history(place).returncode != 0
    place.github.know(artifacts=[artifact(1)])
    place.github.set(zip=os.devnull)  # the archive is cut off
    assert history(place).returncode != 0


# --- gitlab


def test_gitlab_gate_writes_private_files_and_gives_the_suites_status(place: Place) -> None:
    commit = f"git+https://gitlab.com/acme/migration-health@{COMMIT}"
    place.program(
        place.suite,
        f'for word; do echo "$word"; done > {place.home}/words; stat -c %a ops/dev.pem "$AWS_WEB_IDENTITY_TOKEN_FILE"'
        ' "$HOME/.ssh/known_hosts"; cat "$AWS_WEB_IDENTITY_TOKEN_FILE"; echo "${AWS_ID_TOKEN-unset}"; exit 10',
    )
    for name in ("key", "hosts"):
        (place.home / name).write_text(f"{name}\r\n")
    secrets = {"BASTION_SSH_KEY": str(place.home / "key"), "BASTION_KNOWN_HOSTS": str(place.home / "hosts")}
    variables = secrets | {"SSH_KEY_FILE": "ops/dev.pem", "AWS_ID_TOKEN": "to.k.en", "MIGRATION_ENVIRONMENT": "dev"}
    gate = ROOT / "ci" / "gitlab" / "gate.sh"
    done = place.script(gate, "--phase=after", MIGRATION_HEALTH=commit, **variables)
    assert (done.returncode, done.stdout.split()) == (10, ["600", "600", "600", "to.k.enunset"]), done.stderr
    assert (place.home / "words").read_text().split()[::4] == ["--env=dev", "--phase=after"]
    assert not (place.here / "ops" / "dev.pem").exists()
    assert place.script(gate, MIGRATION_HEALTH=commit.replace(COMMIT, "main"), **variables).returncode == 4
    assert place.script(gate, MIGRATION_HEALTH=commit, **{**variables, "BASTION_SSH_KEY": ""}).returncode == 4
