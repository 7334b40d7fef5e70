"""The commands by which a person gets to know the key of a host: asked for once, compared, then added."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from health.sanitize import shell_word as quote

_SSH_PORT = 22  # which known_hosts does not tell


@dataclass(frozen=True)
class HostKeyCommands:
    """What a person runs for the host that answers at an address.

    A second scan could be answered by another host than the one whose fingerprint was compared: the first one's answer
    is kept in a file, and that is what is added.
    """

    known_hosts: Path
    address: str
    port: int

    @property
    def scanned(self) -> Path:
        """Where the answer is kept: beside the file that it is for, in a directory of the same person."""
        return self.known_hosts.with_name(f"{self.known_hosts.name}.scanned")

    @property
    def scan(self) -> str:
        """Ask for the key, and show its fingerprint."""
        file = quote(str(self.scanned))
        return f"ssh-keyscan -p {self.port} {quote(self.address)} > {file} && ssh-keygen -lf {file}"

    @property
    def add(self) -> str:
        """Add the key that was asked for."""
        file = quote(str(self.scanned))
        return f"cat {file} >> {quote(str(self.known_hosts))} && rm {file}"

    @property
    def forget(self) -> str:
        """Take the host's key out of the file."""
        name = self.address if self.port == _SSH_PORT else f"[{self.address}]:{self.port}"
        return f"ssh-keygen -R {quote(name)} -f {quote(str(self.known_hosts))}"
