"""Makes Allure's own report of results, by npm's ``allure``, as one page that asks nobody for anything."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from fixtures.clients.child_environment import child_environment
from plugins.output.private_files import write_private

_PATIENCE_S = 300.0  # for a thousand results on a busy machine
_LARGEST = 256 * 2**20  # bytes of a page
# The program embeds Google Analytics in each report, whatever its settings say.
_ANALYTICS = re.compile(
    r"<script[^>]*googletagmanager[^>]*>\s*</script>(\s*<script>[^<]*\bdataLayer\b[^<]*</script>)?", re.IGNORECASE
)
# The page consists of data: addresses; whatever else it names is not asked.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' data: blob:; style-src 'unsafe-inline' data:; "
    "img-src data: blob:; font-src data:; connect-src data: blob:; media-src data: blob:; frame-src data: blob:; "
    "worker-src data: blob:; base-uri 'none'; form-action 'none'"
)
_HEAD = re.compile(r"<head[^>]*>")


class AllureError(Exception):
    """No report was made; the message says why, and what to do."""


def make_report(results: Path, output: Path) -> Path:
    """Make the report in a directory, whose ``history.jsonl`` it continues.

    Args:
        results: a directory of results, as ``--alluredir`` fills it.
        output: a directory; it is made where it does not exist.

    Raises:
        AllureError: there are no results, there is no program, or it fails.
        OSError: a file could not be written.
    """
    if next(results.glob("*-result.json"), None) is None:
        raise AllureError(f"{results}: there are no results. Name the directory of a run's --alluredir")
    program = _program()
    output.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="migration-health-allure-") as name:
        made, settings = Path(name, "report"), Path(name, "allurerc.mjs")
        settings.write_text(f"export default {json.dumps(_settings(made, output.resolve() / 'history.jsonl'))}\n")
        _run([program, "generate", str(results.resolve()), "--config", str(settings)], name)
        page = made / "index.html"
        if not page.is_file() or page.stat().st_size > _LARGEST:
            raise AllureError(f"{program} made no index.html. Use version 3: npm install --global allure@3")
        (output / "history.jsonl").chmod(0o600)
        write_private(output / "index.html", without_requests(page.read_text()))
    return output / "index.html"


def without_requests(page: str) -> str:
    """Take the analytics out of a page, and forbid it every other request."""
    page = _ANALYTICS.sub("", page)
    policy = f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    guarded, heads = _HEAD.subn(lambda head: head[0] + policy, page, count=1)
    if not heads:
        raise AllureError("the page has no head to take a policy. Use version 3: npm install --global allure@3")
    return guarded


def _settings(made: Path, history: Path) -> dict[str, object]:
    options = {"singleFile": True, "reportLanguage": "en", "groupBy": ["suite", "feature", "story"]}
    return {
        "name": "Migration health",
        "output": str(made),
        "historyPath": str(history),
        "appendHistory": True,
        "plugins": {"awesome": {"options": options}},
    }


def _program() -> str:
    program = shutil.which("allure") or shutil.which("allure", path="node_modules/.bin")
    if program is None:
        raise AllureError("there is no program allure in PATH or ./node_modules. Install it: npm install allure@3")
    return str(Path(program).absolute())


def _run(command: list[str], directory: str) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - a program of the user's, and no shell reads its arguments
            command, cwd=directory, env=child_environment("NODE_"), stdin=subprocess.DEVNULL, capture_output=True,
            timeout=_PATIENCE_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise AllureError(f"{command[0]} has not ended after {_PATIENCE_S:.0f} s. Give it fewer results") from None
    if done.returncode:
        lines = (done.stderr + done.stdout).decode(errors="replace").strip().splitlines() or ["no output"]
        raise AllureError(f"{command[0]} ended with status {done.returncode}: {lines[-1]}")
