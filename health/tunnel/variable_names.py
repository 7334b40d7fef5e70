"""What the names of a shell script's variables say: which stage they are of, and whether they hold a host."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Literal

HostKind = Literal["endpoint", "bastion"]

# words which make a variable hold something of the host, not the host: BASTION_USER, BASTION_KEY_PATH
_LOGIN = {"USER", "USERNAME", "LOGIN", "KEY", "KEYS", "KEYFILE", "KEYPAIR", "PEM", "IDENTITY", "FILE", "PATH"}
_ENDPOINT = re.compile(r"ENDPOINT|(?:DB|RDS|CLUSTER)_HOST")
_NOT_A_HOST = {*_LOGIN, "PORT", "NAME", "ID", "INSTANCE", "TAG", "OPTS", "OPTIONS", "ARGS", "CMD", "REGION"}


class StageNames:
    """What the names of variables say."""

    def __init__(self, stages: Collection[str]) -> None:
        self.stages = {re.sub(r"[^A-Z0-9]", "_", stage.upper()): stage for stage in sorted(stages) if stage}
        longest_first = sorted(self.stages, key=len, reverse=True)
        # (?!) matches nothing
        self.pattern = re.compile(rf"(?:^|_)({'|'.join(longest_first) or '(?!)'})(?=_|$)")

    def of(self, name: str) -> tuple[HostKind | None, frozenset[str]]:
        """What a variable holds, if a host, and the stages in its name."""
        name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper()
        name = re.sub(r"[^A-Z0-9]", "_", name).rstrip("_")
        stages = frozenset(self.stages[found] for found in self.pattern.findall(name))
        rest = self.pattern.sub("", name).replace("HOST_NAME", "HOST")
        if "BASTION" in rest:
            words = set(rest.replace("BASTION", "_").split("_"))
            return ("bastion" if not words & _NOT_A_HOST else None), stages
        if found := _ENDPOINT.search(rest):
            words = set(rest[found.end() :].split("_"))
            return ("endpoint" if not words & _NOT_A_HOST else None), stages
        return None, stages
