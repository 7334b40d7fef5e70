"""A headless Chromium that opens pages as a person does, driven through a pipe: it listens on no port."""

from __future__ import annotations

import base64
import json
import os
import selectors
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.load import patience

PROGRAM = next(filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "google-chrome"))), None)
MISSING = "there is no Chromium here: ci/browser installs it"
_ANSWER_S = 60.0
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--remote-debugging-pipe",
)  # fmt: skip


class Chromium:
    """A browser with one page; :attr:`requests` are the addresses that it has asked for."""

    def __init__(self, read: int, write: int) -> None:
        self._read, self._write, self._number, self._rest = read, write, 0, b""
        self._session: str | None = None
        self.requests: list[str] = []
        self.dialogs: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> Any:
        """Call a method of the DevTools protocol; gives its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None and not method.startswith("Browser."):
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        answer = self._until(lambda heard: heard.get("id") == message["id"])
        assert "error" not in answer, answer
        return answer["result"]

    def open(self, path: Path) -> None:
        """Open a page from the file system, and wait until it is loaded."""
        self.call("Page.navigate", url=path.as_uri())
        self._until(lambda heard: heard.get("method") == "Page.loadEventFired")

    def evaluate(self, expression: str) -> Any:
        """Give what an expression of JavaScript comes to, or what its promise does."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def click(self, selector: str) -> None:
        """Click on the first element that a selector names, by the mouse."""
        box = self.evaluate(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            " e.scrollIntoView({block: 'center'});"
            " const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)

    def screen(self, width: int, height: int, *, dark: bool = False) -> bytes:
        """Give a picture, PNG, of the page on a screen of this size."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def _until(self, wanted: Any) -> Any:
        for heard in self._messages():
            if heard.get("method") == "Network.requestWillBeSent":
                self.requests.append(heard["params"]["request"]["url"])
            if heard.get("method") == "Page.javascriptDialogOpening":
                self.dialogs.append(heard["params"]["message"])
            if wanted(heard):
                return heard
        raise AssertionError("Chromium has ended")

    def _messages(self) -> Iterator[Any]:
        deadline = time.monotonic() + patience(_ANSWER_S)
        with selectors.DefaultSelector() as selector:
            selector.register(self._read, selectors.EVENT_READ)
            while True:
                while b"\0" in self._rest:
                    message, _, self._rest = self._rest.partition(b"\0")
                    yield json.loads(message)
                assert selector.select(max(0.0, deadline - time.monotonic())), "Chromium does not answer"
                if not (data := os.read(self._read, 1 << 20)):
                    return
                self._rest += data


@contextmanager
def chromium(profile: Path) -> Iterator[Chromium]:
    """Start a browser; it ends with the block.

    Args:
        profile: a directory for what it keeps.
    """
    assert PROGRAM is not None
    in_read, in_write = os.pipe()
    out_read, out_write = os.pipe()
    # It reads its descriptor 3 and writes to 4.
    script = f'exec "$@" 3<&{in_read} 4>&{out_write}'
    command = ["bash", "-c", script, "bash", PROGRAM, *_FLAGS, f"--user-data-dir={profile}"]
    process = subprocess.Popen(
        command, pass_fds=(in_read, out_write), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, env={**os.environ, "HOME": str(profile)},
    )  # fmt: skip
    os.close(in_read)
    os.close(out_write)
    try:
        yield Chromium(out_read, in_write)
    finally:
        os.close(in_write)  # it ends where its pipe does
        os.close(out_read)
        try:
            process.wait(patience(10.0))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
