"""Posts what is new in a night to a Slack-compatible webhook, or as a comment on a GitHub issue.

Exit status: 0 posted, or nothing is new; 1 it could not be posted; 4 wrong use, or no report with a comparison.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from health.nightly.drift import Drift
from health.nightly.notice import Notice, markdown_message, news, slack_message
from health.report.json_values import from_json
from health.sanitize import one_line
from health.secrets.secret import Secret, hide

POSTED, NOT_POSTED, USAGE = 0, 1, 4
LIMIT_S = 10.0  # of one attempt, names and handshakes included
PAUSE_S = 2.0  # before the second one
LARGEST = 200_000_000  # bytes of a report
_ANSWER = 300  # bytes of an answer that are read
_OWN = ("127.0.0.1", "::1", "localhost")


class UsageError(Exception):
    """What was asked for cannot be done; the text says what to do."""


@dataclass(frozen=True)
class Failure:
    """Why an attempt failed, and whether another one may succeed."""

    text: str
    again: bool = True


def main(words: Sequence[str]) -> int:
    """Post what is new in the reports that the command line names."""
    try:
        asked = _arguments(words)
        attempt = _webhook(asked.webhook, asked.link) if asked.webhook else _issue(asked.issue, asked.repo, asked.link)
        notices = [notice for report in asked.report for notice in read(Path(report))]
    except UsageError as error:
        return _say(str(error), USAGE)
    told = news(notices)
    if not told:
        return _say("nothing is new, so nothing was posted", POSTED)
    failure = attempt(told)
    if failure is not None and failure.again:
        _say(f"{failure.text}; tried once more in {PAUSE_S:.0f} s", NOT_POSTED)
        time.sleep(PAUSE_S)
        failure = attempt(told)
    if failure is not None:
        return _say(f"not posted: {failure.text}", NOT_POSTED)
    return _say(f"posted what is new in {', '.join(one_line(notice.environment, 60) for notice in told)}", POSTED)


def read(path: Path) -> list[Notice]:
    """Read what a report says of a night.

    Args:
        path: of ``report.json``, or of the directory that it is in.

    Raises:
        UsageError: it is no report, or one of a run without a history.
    """
    file = path / "report.json" if path.is_dir() else path
    try:
        if file.stat().st_size > LARGEST:
            raise UsageError(f"{file}: larger than {LARGEST:,} bytes")
        environments = json.loads(file.read_bytes())["environments"]
        compared = [each for each in environments if each.get("drift")]
        notices = [Notice(each["name"], each["verdict"], from_json(Drift, each["drift"])) for each in compared]
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}. Name the directory of --report, or its report.json.") from None
    except (ValueError, KeyError, TypeError, AttributeError, StopIteration, RecursionError):
        raise UsageError(f"{file}: no report.json of this version of migration-health.") from None
    if not notices:
        raise UsageError(f"{file}: compares nothing. Run with --phase nightly --history FILE --report DIR.")
    return notices


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="ci/notify", description="Posts what is new in a night.", exit_on_error=False)
    parser.add_argument("report", nargs="+", help="report.json of a nightly run, or its directory")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--webhook", metavar="VARIABLE", help="the variable that holds the URL of a webhook")
    where.add_argument("--issue", metavar="NUMBER", help="comment on this GitHub issue, by gh")
    parser.add_argument("--repo", metavar="OWNER/NAME", help="of the issue; default: the checkout's")
    parser.add_argument("--link", metavar="URL", default="", help="of the run, for the end of the message")
    try:
        return parser.parse_args(words)
    except argparse.ArgumentError as error:
        raise UsageError(str(error)) from None
    except SystemExit as end:  # --help, or a word too many
        sys.exit(USAGE if end.code else 0)


Attempt = Callable[[Sequence[Notice]], Failure | None]


def _webhook(variable: str, link: str) -> Attempt:
    """What posts to a webhook; the URL is a secret, since whoever has it may post."""
    if not re.fullmatch(r"[A-Za-z_]\w*", variable):
        raise UsageError("--webhook takes the name of a variable: other users see a URL in the list of processes")
    url = os.environ.get(variable, "").strip()
    if not url:
        raise UsageError(f"the variable {variable} is not set. Give it the URL of the webhook.")
    Secret(url)
    try:
        parts = urlsplit(url)
        host, path = parts.hostname or "", parts.path
        encrypted = parts.scheme == "https" or (parts.scheme == "http" and host in _OWN)
    except ValueError:
        raise UsageError(f"{variable} holds no URL") from None
    if len(path) > 1:
        Secret(path)
    if not encrypted or not host or not url.isprintable():
        raise UsageError(f"{variable} holds no URL that begins with https://")

    def attempt(notices: Sequence[Notice]) -> Failure | None:
        body = json.dumps({"text": slack_message(notices, link)}).encode("ascii")
        return _within(LIMIT_S, lambda: post(url, body), f"{host} did not answer within {LIMIT_S:.0f} s")

    return attempt


class _NoRedirect(HTTPRedirectHandler):
    """Follows nothing: the message is for the place that was named."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Give no request that would follow."""


def post(url: str, body: bytes) -> Failure | None:
    """Send a message to a webhook; None where it was taken."""
    host = urlsplit(url).hostname
    request = Request(url, body, {"Content-Type": "application/json", "User-Agent": "migration-health"})  # noqa: S310
    try:
        with build_opener(_NoRedirect).open(request, timeout=LIMIT_S):
            return None  # what it answers beside 2xx is of no use
    except HTTPError as error:
        with error:
            said = ""
            with suppress(OSError, HTTPException):
                said = one_line(error.read(_ANSWER).decode("utf-8", "replace"), 120)
        again = error.code >= 500 or error.code == 429  # noqa: PLR2004 - HTTP's own: the server's fault, too many
        what = "redirects, which is not followed" if 300 <= error.code < 400 else f"answered {error.code}"  # noqa: PLR2004
        return Failure(f"{host} {what}{f': {said}' if said else ''}", again)
    except URLError as error:
        return Failure(f"{host} cannot be reached: {one_line(str(error.reason), 200)}")
    except (OSError, HTTPException) as error:
        return Failure(f"{host} did not answer: {one_line(str(error) or type(error).__name__, 200)}")


def _within(seconds: float, call: Callable[[], Failure | None], late: str) -> Failure | None:
    """What a call gives, or a failure when it takes longer: each step has a limit, and all of them one together."""
    answers: list[Failure | None] = []
    thread = threading.Thread(target=lambda: answers.append(call()), daemon=True)
    thread.start()
    thread.join(seconds)
    return answers[0] if answers else Failure(late)


def _issue(number: str, repository: str | None, link: str) -> Attempt:
    """What comments on an issue; gh reads its token from the environment itself."""
    if not (number.isascii() and number.isdigit()):
        raise UsageError(f"--issue: {number!r} is no number")
    if repository is not None and not re.fullmatch(r"[\w.-]+(/[\w.-]+){1,2}", repository):
        raise UsageError("--repo: write OWNER/NAME")
    for name in ("GH_TOKEN", "GITHUB_TOKEN"):
        if os.environ.get(name):
            Secret(os.environ[name])
    words = ["gh", "issue", "comment", number, "--body-file", "-"]
    words += [f"--repo={repository}"] if repository is not None else []
    return lambda notices: comment(words, markdown_message(notices, link))


def comment(words: Sequence[str], body: str) -> Failure | None:
    """Run gh with a comment on its standard input; None where it succeeded."""
    environment = {**os.environ, "GH_PROMPT_DISABLED": "1", "NO_COLOR": "1"}
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(  # noqa: S603 - the words are ours
            words, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, text=True, env=environment, start_new_session=True
        )
    except FileNotFoundError:
        return Failure("gh is not installed. https://cli.github.com tells how.", again=False)
    except OSError as error:
        return Failure(f"gh cannot be started: {error.strerror}", again=False)
    with process:
        try:
            said, _ = process.communicate(body, timeout=3 * LIMIT_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return Failure(f"gh did not end within {3 * LIMIT_S:.0f} s")
    return Failure(f"gh ended with {process.returncode}: {one_line(said, 200)}") if process.returncode else None


def _say(text: str, status: int) -> int:
    print(f"ci/notify: {hide(one_line(text, 600))}", file=sys.stderr, flush=True)
    return status


if __name__ == "__main__":
    ended = main(sys.argv[1:])
    sys.stderr.flush()
    os._exit(ended)  # a thread that waits for a name must not hold the process
