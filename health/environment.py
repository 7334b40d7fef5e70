"""One deployed stack, as the registry describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from health.secret import Secret


@dataclass(frozen=True)
class Limits:
    """How long each kind of waiting may take, in seconds."""

    connect_s: float = 5
    aws_connect_s: float = 3
    aws_read_s: float = 5
    aws_attempts: int = 2
    api_read_s: float = 30  # API Gateway's own
    database_s: float = 5
    fact_s: float = 45  # what no single limit stopped
    migration_s: float = 960  # a run of --migrate; its worker is ended after 900
    poll_s: float = 2  # between two looks at it


@dataclass(frozen=True)
class Environment:
    """The settings of one environment; paths are absolute.

    Attributes:
        stage: the word that names it in AWS and in the tunnel script.
        embedded: whether it is the local one, whose settings the sandbox supplies.
        api_id: of API Gateway, where ``api_url`` has a host of one's own.
        functions: purpose → name of the Lambda function.
        prisma: the version of Prisma, for where the application does not tell.
        accepted_checksums: migration → checksums with which its row is taken as unedited.
        confirm: whether ``--migrate`` needs ``--confirm`` with its name; ``prod`` does unless said
            otherwise.
        stages: every stage that the tunnel script may name.
        sources: setting → where its value came from, for those that a person may want to know.
    """

    name: str
    stage: str
    embedded: bool = False
    api_url: str = ""
    api_id: str | None = None
    region: str = "us-east-1"
    profile: str | None = None
    account: str | None = None
    aws_endpoint_url: str | None = None
    aws_access_key_id: str | None = None
    aws_secret_access_key: Secret | None = None
    functions: Mapping[str, str] = field(default_factory=dict)
    secret: str = ""
    database: str = "postgres"
    schema: str = "public"
    prisma: str | None = None
    accepted_checksums: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cluster_prefix: str = ""
    bastion_tag: str = "*bastion*"
    bastion_address: str | None = None
    ssh_user: str = "ec2-user"
    ssh_port: int = 22
    ssh_key: Path = Path()
    known_hosts: Path = Path()
    app: Path = Path()
    tunnel_script: Path = Path()
    migrations: Path = Path()
    confirm: bool = False
    stages: tuple[str, ...] = ()
    limits: Limits = Limits()
    sources: Mapping[str, str] = field(default_factory=dict)
