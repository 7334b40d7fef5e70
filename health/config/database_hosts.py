"""Reads the servers that a connection URL names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv6Address
from urllib.parse import unquote

PORT = 5432
_PORTS = range(1, 65536)
_HOST = re.compile(r"(?:\[(?P<address>[^\[\]]*)\]|(?P<name>[^:\[\]]*))(?::(?P<port>[^:]*))?")
_NAME = re.compile(r"[^\s\x00-\x20/@:?#%<>^|\\\[\],]+")


class DatabaseUrlError(Exception):
    """The database URL cannot be used; the text says why and what to do, and holds nothing of the URL."""


@dataclass(frozen=True)
class Host:
    """A server: a name, an address, or the directory of a Unix socket."""

    name: str
    port: int = PORT

    @property
    def socket(self) -> bool:
        """Whether the name is the directory of a Unix socket."""
        return self.name.startswith("/")

    def __str__(self) -> str:
        return f"[{self.name}]:{self.port}" if ":" in self.name and not self.socket else f"{self.name}:{self.port}"


def read_hosts(place: str, option: str) -> tuple[Host, ...]:
    """Read the servers of a URL.

    Args:
        place: the text between login and path.
        option: the value of ``host=``, which wins over the names in ``place``; empty where there is none.

    Raises:
        DatabaseUrlError: there is no server, or a name, an address or a port is malformed.
    """
    written = [_host(each) for each in place.split(",")]
    if not option:
        if not all(host.name for host in written):
            raise DatabaseUrlError(
                "The database URL names no server. Write it behind the login: postgresql://USER:PASSWORD@HOST:5432/…"
            )
        return tuple(written)
    names = [_name(each.removeprefix("[").removesuffix("]")) for each in option.split(",")]
    ports = [host.port for host in written]
    if len(ports) == 1:
        ports *= len(names)
    if len(ports) != len(names) or not all(names):
        raise DatabaseUrlError("The database URL names other servers in host= than ports. Give each its port, or one.")
    return tuple(map(Host, names, ports))


def _host(text: str) -> Host:
    __tracebackhide__ = True  # where a password is not encoded, this is a part of it
    match = _HOST.fullmatch(text)
    if match is None:
        raise DatabaseUrlError(
            "The server's name in the database URL is malformed. Write an IPv6 address in brackets, and "
            "percent-encode special characters of the password."
        )
    port = match["port"] or str(PORT)
    if not re.fullmatch(r"[0-9]{1,5}", port) or int(port) not in _PORTS:
        raise DatabaseUrlError(
            "The port in the database URL is no number from 1 to 65535. "
            "Is a special character of the password not percent-encoded? / %2F, ? %3F, # %23, @ %40, : %3A."
        )
    return Host(
        _address(match["address"]) if match["address"] is not None else _name(unquote(match["name"])), int(port)
    )


def _address(text: str) -> str:
    try:
        return str(IPv6Address(text))
    except AddressValueError:
        raise DatabaseUrlError("The database URL has no IPv6 address in its brackets. Correct it.") from None


def _name(text: str) -> str:
    """A name, an address or a directory; empty as it is."""
    __tracebackhide__ = True
    if text.startswith("/") and "\0" not in text and "," not in text:
        return text
    if ":" in text:
        return _address(text)
    if text and not _NAME.fullmatch(text):
        raise DatabaseUrlError("The server's name in the database URL is malformed. Correct it.")
    return text
