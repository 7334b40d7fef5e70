"""The parts of an environment: what its entry in the registry describes, and so what is judged."""

from __future__ import annotations

from enum import StrEnum


class Part(StrEnum):
    """What an environment may have beside its database and its migrations; the value is its name in the output."""

    AWS = "AWS"
    TUNNEL = "tunnel"  # the way that leads over a secret, a cluster and a bastion of AWS
    SCRIPT = "tunnel script"
    FUNCTIONS = "functions"
    API = "API"
    LOGS = "logs"
    LAYER = "layer"
    FRIGG = "Frigg's own tables"


EVERY = frozenset(Part)
