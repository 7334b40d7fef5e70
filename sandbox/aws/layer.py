"""The archive of the functions' layer, as Frigg's build makes it from a migrations directory."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import secrets
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

from sandbox.aws.proxy import TOKEN, AwsProxy, Static

_ROOT = "nodejs/node_modules"
_PRISMA = f"{_ROOT}/generated/prisma-postgresql"

Files = dict[str, bytes]  # migration → its file


def read(migrations: Path) -> Files:
    """The files of a migrations directory, in their order."""
    return {path.parent.name: path.read_bytes() for path in sorted(migrations.glob("*/migration.sql"))}


def pack(files: Files) -> bytes:
    """The archive: the runtime client, its schema and the migrations; also a link, as npm makes them."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as layer:
        link = zipfile.ZipInfo(f"{_ROOT}/.bin/prisma")
        link.external_attr = 0o120777 << 16
        layer.writestr(link, "../prisma/build/index.js")
        layer.writestr(f"{_ROOT}/@prisma/client/package.json", "{}")
        layer.writestr(f"{_PRISMA}/index.js", b"// the generated client\n" + secrets.token_bytes(100_000))
        layer.writestr(f"{_PRISMA}/schema.prisma", "")
        for name, text in files.items():
            layer.writestr(f"{_PRISMA}/migrations/{name}/migration.sql", text)
        layer.writestr(f"{_PRISMA}/migrations/migration_lock.toml", 'provider = "postgresql"\n')
    return archive.getvalue()


def serve(front: AwsProxy, migrations: Path, change: Callable[[Files], Files]) -> None:
    """Put the archive where GetLayerVersion says; moto itself gives no place that could be read."""
    archive = pack(change(read(migrations)))
    path = f"/layers/{secrets.token_hex(8)}"
    front.statics[path] = Static(archive, "application/zip")
    signature = {"X-Amz-Signature": secrets.token_hex(32)}
    if front.token is not None:
        signature[TOKEN] = front.token.reveal()
    content = {
        "Location": f"{front.url}{path}?{urlencode(signature)}",
        "CodeSha256": base64.b64encode(hashlib.sha256(archive).digest()).decode(),
        "CodeSize": len(archive),
    }
    front.changes["lambda:GetLayerVersion"] = lambda body: json.dumps({**json.loads(body), "Content": content}).encode()
