"""``ci/notify`` against a real server and a stand-in for gh: what is new is posted once, or a line says why not."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ci import notify
from health.nightly.drift import Drift, DriftFinding
from health.nightly.notice import LONGEST, Notice, markdown_message, slack_message
from health.report.json_values import to_json
from plugins.paths import ROOT
from tests.support.load import patience

WHEN = "2026-01-01T03:00:00+00:00"
HOSTILE = "<!channel> @here <https://evil.example|ok> *b* _i_ `x` [a](http://evil) \x1b[31m\u202e &amp;\n::error::x"
PATH = "/services/T000/B000/very-secret-token"


def finding(subject: str = "m1", level: Any = "error", message: str = "It failed.") -> DriftFinding:
    return DriftFinding("failed-migration", subject, level, message, WHEN, 0)


NEW = Drift(WHEN, new=(finding(),), still=(finding("m0"),))
OLD = Drift(WHEN, still=(finding("m0"),))


def report(directory: Path, drift: Drift | None = NEW, name: str = "prod") -> str:
    values = {"name": name, "verdict": "blocked", **({"drift": to_json(drift)} if drift else {})}
    (directory / "report.json").write_text(json.dumps({"environments": [values]}))
    return str(directory)


@dataclass
class Webhook:
    """A server that answers with these in turn: a status, ``hang``, ``drip`` or ``drop``."""

    answers: list[int | str]
    bodies: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    url: str = ""


@contextmanager
def serving(*answers: int | str) -> Iterator[Webhook]:
    webhook = Webhook(list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            webhook.paths.append(self.path)
            webhook.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            answer = webhook.answers.pop(0)
            if answer == "hang":
                webhook.ended.wait(patience(60))
            elif answer == "drip":
                while not webhook.ended.wait(0.05):
                    try:
                        self.wfile.write(b"H")
                    except OSError:
                        return
            elif isinstance(answer, int):
                self.send_response(answer)
                self.send_header("Location", "/elsewhere")
                self.end_headers()
                self.wfile.write(f"\x1b[31m no {webhook.url}".encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        webhook.url = f"http://127.0.0.1:{server.server_port}{PATH}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield webhook
        finally:
            webhook.ended.set()
            server.shutdown()
            thread.join()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify, "PAUSE_S", 0.0)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("answers", "status", "said"),
    [
        ([200], 0, "posted what is new in prod"),
        ([500, 200], 0, "127.0.0.1 answered 500"),
        ([429, 204], 0, "127.0.0.1 answered 429"),
        (["drop", 200], 0, "127.0.0.1 did not answer"),
        ([503, 502], 1, "not posted: 127.0.0.1 answered 502"),
        ([302], 1, "not posted: 127.0.0.1 redirects, which is not followed"),
        ([307], 1, "not posted: 127.0.0.1 redirects, which is not followed"),
        ([404], 1, "not posted: 127.0.0.1 answered 404"),
    ],
    ids=str,
)
def test_a_webhook_is_asked_at_most_twice(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    answers: list[int | str],
    status: int,
    said: str,
) -> None:
    with serving(*answers) as webhook:
        monkeypatch.setenv("HOOK", webhook.url)
        assert notify.main([report(tmp_path), "--webhook", "HOOK"]) == status
    err = capsys.readouterr().err
    assert said in err
    assert "very-secret-token" not in err
    assert "\x1b" not in err
    assert webhook.paths == [PATH] * len(answers)
    assert webhook.bodies[-1]["text"].startswith(
        "*Migration health: 1 new finding*\nprod is blocked: 1 new, 0 gone, 1 "
    )


@pytest.mark.parametrize("answer", ["hang", "drip"])
def test_a_webhook_that_does_not_answer_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: str
) -> None:
    monkeypatch.setattr(notify, "LIMIT_S", 0.5)
    began = time.monotonic()
    with serving(answer, answer) as webhook:
        monkeypatch.setenv("HOOK", webhook.url)
        assert notify.main([report(tmp_path), "--webhook", "HOOK"]) == 1
        assert time.monotonic() - began < patience(20)
    assert "did not answer" in capsys.readouterr().err


def test_the_script_posts_from_any_directory_without_a_package(tmp_path: Path) -> None:
    with serving(200) as webhook:
        ran = subprocess.run(
            [ROOT / "ci" / "notify", report(tmp_path), "--webhook", "HOOK", "--link", "https://ci.example/1"],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "HOOK": webhook.url, "PYTHON": sys.executable},
            capture_output=True,
            text=True,
            timeout=patience(60),
            check=False,
        )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "ci/notify: posted what is new in prod\n")
    assert webhook.bodies[0]["text"].endswith("<https://ci.example/1|The run>")


@pytest.mark.parametrize(
    "drift",
    [
        OLD,
        replace(OLD, new=(finding(level="info"), finding("m2", level="accepted"))),
        replace(OLD, unjudged=("x",), nights_unjudged=2),
        replace(OLD, gone=(finding(),)),
    ],
)
def test_without_news_nothing_is_posted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], drift: Drift
) -> None:
    monkeypatch.setenv("HOOK", "http://127.0.0.1:1/x")
    assert notify.main([report(tmp_path, drift), "--webhook", "HOOK"]) == 0
    assert capsys.readouterr().err == "ci/notify: nothing is new, so nothing was posted\n"


def test_the_first_night_without_an_answer_is_news() -> None:
    text = slack_message([Notice("prod", "unknown", Drift(WHEN, unjudged=("a", "b"), nights_unjudged=1))])
    assert "1 environment could not be judged" in text
    assert "could not be judged: a, b" in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--webhook", "https://hooks.slack.example/x"], "takes the name of a variable"),
        (["--webhook", "NO_SUCH"], "the variable NO_SUCH is not set"),
        (["--webhook", "PLAIN"], "holds no URL that begins with https://"),
        (["--webhook", "FILE"], "holds no URL that begins with https://"),
        (["--issue", "1; rm"], "is no number"),
        (["--issue", "1", "--repo", "--body=x"], "--repo"),
        (["--issue", "1", "--repo=a b"], "write OWNER/NAME"),
        ([], ""),
    ],
)
def test_wrong_use_is_status_4(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    monkeypatch.setenv("PLAIN", "http://hooks.slack.example/x")
    monkeypatch.setenv("FILE", "file:///etc/passwd")
    try:
        status = notify.main([report(tmp_path), *words])
    except SystemExit as end:
        status = end.code  # type: ignore[assignment]
    assert status == 4
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "no report.json of this version"),
        ("[]", "no report.json of this version"),
        ('{"environments": [{"name": "p", "verdict": "v", "drift": {"since": 1}}]}', "no report.json of this version"),
        ('{"environments": [{"name": "p"}]}', "compares nothing"),
        (None, "No such file"),
    ],
)
def test_what_is_no_report_is_status_4(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str | None, said: str
) -> None:
    file = tmp_path / "report.json"
    if text is not None:
        file.write_text(text)
    monkeypatch.setenv("HOOK", "http://127.0.0.1:1/x")
    assert notify.main([str(file), "--webhook", "HOOK"]) == 4
    assert said in capsys.readouterr().err


GH = """#!/bin/sh
printf '%s\\n' "$@" >"$0.words"
cat >"$0.body"
echo x >>"$0.calls"
[ "${GH_HANGS:-}" ] && sleep 60
echo "no $GH_TOKEN"
exit "${GH_STATUS:-0}"
"""


@pytest.fixture
def gh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "bin" / "gh"
    program.parent.mkdir()
    program.write_text(GH)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("GH_TOKEN", "ghp_very-secret-token")
    return program


@pytest.mark.parametrize(("given", "status", "calls"), [("0", 0, 1), ("1", 1, 2)])
def test_gh_comments_on_an_issue(
    tmp_path: Path,
    gh: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    given: str,
    status: int,
    calls: int,
) -> None:
    monkeypatch.setenv("GH_STATUS", given)
    assert notify.main([report(tmp_path), "--issue", "7", "--repo", "o/r"]) == status
    words = gh.with_suffix(".words").read_text().split("\n")
    assert words[:6] == ["issue", "comment", "7", "--body-file", "-", "--repo=o/r"]
    body = gh.with_suffix(".body").read_text()
    assert body.startswith("**Migration health: 1 new finding**\n`prod` is `blocked`: 1 new")
    assert "- error `failed-migration` `m1`: `It failed.`" in body
    assert len(gh.with_suffix(".calls").read_text().split()) == calls
    assert "very-secret-token" not in capsys.readouterr().err


def test_gh_that_does_not_end_is_ended(
    tmp_path: Path, gh: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GH_HANGS", "1")
    monkeypatch.setattr(notify, "LIMIT_S", 0.2)
    began = time.monotonic()
    assert notify.main([report(tmp_path), "--issue", "7"]) == 1
    assert time.monotonic() - began < patience(20)
    assert "gh did not end" in capsys.readouterr().err


def test_without_gh_a_line_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert notify.main([report(tmp_path), "--issue", "7"]) == 1
    assert "gh is not installed" in capsys.readouterr().err


def test_hostile_text_is_inert_in_slack() -> None:
    text = slack_message([Notice(HOSTILE, HOSTILE, replace(NEW, new=(finding(HOSTILE, message=HOSTILE),)))], HOSTILE)
    body, link = text.split("\n")[1:-1], text.split("\n")[-1]
    assert len(body) == 2
    for line in body:
        assert not re.search(r"[<>\x1b\u202e]|@\w|://|\]\(|&(?!(amp|lt|gt);)", line)
        assert not re.search(r"(?<!\w)_\w|\*\w|`\w", line)
    assert re.fullmatch(r"<[^<>|]*\|The run>", link)


def test_names_survive_a_copy_from_slack() -> None:
    name = "20260101000000_add_user_email"
    assert f" {name}:" in slack_message([Notice("prod", "blocked", replace(NEW, new=(finding(name),)))])


def test_hostile_text_is_inert_on_github() -> None:
    text = markdown_message([Notice(HOSTILE, "blocked", replace(NEW, new=(finding("a`` b`", message=HOSTILE),)))])
    outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", text)
    assert not re.search(r"@|<|evil|::", outside)
    assert "``` a`` b` ```" in text


def test_a_message_is_bounded_and_says_what_it_cut() -> None:
    many = tuple(finding(f"m{number}" * 100, message=HOSTILE * 5000) for number in range(30))
    for write in (slack_message, markdown_message):
        text = write([Notice(f"env{number}", "blocked", replace(NEW, new=many)) for number in range(20)])
        assert len(text) <= LONGEST
        assert re.search(r"\n\d+ more lines: see report\.json\.$", text)
