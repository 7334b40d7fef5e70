"""A ``gh`` that knows one repository: it keeps comments, issues and artefacts in a file, and records its calls."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

BOT = "github-actions[bot]"
REPOSITORY = "acme/shop"


class FakeGh:
    """The program, for a ``PATH``, and what it knows."""

    def __init__(self, directory: Path) -> None:
        self.bin = directory / "bin"
        self.bin.mkdir(parents=True)
        self._file = directory / "github.json"
        program = self.bin / "gh"
        words = shlex.join([sys.executable, "-I", "-S", __file__, str(self._file)])
        program.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        program.chmod(0o755)
        self.know()

    def know(self, **lists: Sequence[Mapping[str, Any]]) -> None:
        """Put ``comments``, ``issues`` and ``artifacts`` there; none of the others."""
        empty: dict[str, Any] = {"comments": [], "issues": [], "artifacts": [], "calls": [], "zip": "", "down": False}
        self._file.write_text(json.dumps(empty | lists))

    def set(self, **values: Any) -> None:
        self._file.write_text(json.dumps(self.state | values))

    @property
    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(self._file.read_text())
        return state

    @property
    def writes(self) -> list[tuple[str, str]]:
        """Method and path of the calls that change something."""
        return [(call["method"], call["path"]) for call in self.state["calls"] if call["method"] != "GET"]


def main(file: str, words: list[str]) -> int:
    """Answer one call."""
    path = Path(file)
    state = json.loads(path.read_text())
    method, where, body = "GET", "", None
    rest = iter(words)
    assert next(rest) == "api"
    for word in rest:
        if word == "--method":
            method = next(rest)
        elif word == "--input":
            assert next(rest) == "-"
            body = json.load(sys.stdin)
        elif word not in {"--paginate", "--silent"}:
            assert not where, words
            where = word
    state["calls"].append({"method": method, "path": where, "body": body})
    try:
        if state["down"]:
            print("gh: Bad Gateway (HTTP 502)", file=sys.stderr)
            return 1
        _answer(state, method, where.removeprefix(f"repos/{REPOSITORY}/"), body, paged="--paginate" in words)
        return 0
    finally:
        path.write_text(json.dumps(state))


def _answer(state: dict[str, Any], method: str, path: str, body: Any, *, paged: bool) -> None:
    route, _, query = path.partition("?")
    if re.fullmatch(r"issues/\d+/comments|issues/comments/\d+", route):
        kind = "comments"
    elif re.fullmatch(r"issues(/\d+)?", route):
        kind = "issues"
    elif route == "actions/artifacts":
        name = re.search(r"name=([^&]+)", query)
        assert name is not None
        json.dump({"artifacts": [each for each in state["artifacts"] if each["name"] == name[1]]}, sys.stdout)
        return
    elif re.fullmatch(r"actions/artifacts/\d+/zip", route):
        sys.stdout.buffer.write(Path(state["zip"].format(route.split("/")[2])).read_bytes())
        return
    else:
        raise AssertionError(path)
    items = state[kind]
    if method == "GET":
        wanted = [each for each in items if "state=open" not in query or each.get("state", "open") == "open"]
        if label := re.search(r"labels=([^&]+)", query):
            wanted = [each for each in wanted if label[1] in each["labels"]]
        for page in [wanted[:1], wanted[1:]] if paged else [wanted]:  # as gh does without --slurp
            json.dump(page, sys.stdout)
    elif method == "POST":
        number = len(state["comments"]) + len(state["issues"]) + 100
        items.append({"id": number, "number": number, "user": {"login": BOT}, **body})
    else:
        key = "id" if kind == "comments" else "number"
        (item,) = [each for each in items if each[key] == int(route.rpartition("/")[2])]
        item.update(body)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
