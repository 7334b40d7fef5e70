"""Programs of another user of the machine: they have this module, an address, and nothing else."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.load import patience

STRANGERS = (65534, 12345)  # nobody, as which the database's server runs where this process is root; and somebody
_LIMIT_S = 60.0
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")

_BEGIN = """
import encodings.idna, json, os, socket, sys
uid, arguments = json.load(sys.stdin)
os.setgroups([]); os.setgid(uid); os.setuid(uid)  # once all is loaded: the interpreter may be root's own
def send(port, *texts, then=b''):
    with socket.create_connection(('127.0.0.1', port), 10) as client:
        client.settimeout(10)
        answer = b''
        try:
            for text in texts:
                client.sendall(text.encode())
            while more := client.recv(65536):
                answer += more
        except OSError:
            pass
        return answer.decode(errors='replace')
"""


def run(uid: int, program: str, **arguments: Any) -> Any:
    """What a program prints as JSON, run by Python as another user without groups."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"{_BEGIN}\n{program}"],
        input=json.dumps([uid, arguments]).encode(),
        cwd="/",
        capture_output=True, timeout=patience(_LIMIT_S), check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def listeners(pids: set[int]) -> set[tuple[str, int]]:
    """The addresses at which processes listen by TCP."""
    inodes = set()
    for pid in pids:
        for entry in Path(f"/proc/{pid}/fd").glob("*"):
            try:
                inodes.add(os.readlink(entry))
            except OSError:
                continue
    found = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
            host, port = fields[1].split(":")
            found.add((socket.inet_ntoa(bytes.fromhex(host)[::-1]), int(port, 16)))
    return found
