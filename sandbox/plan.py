"""What the sandbox is to build; faults change it before anything starts."""

from __future__ import annotations

import random
import secrets
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from sandbox.case import Case

AwsMode = Literal["denied", "expired", "throttled", "reset", "silent", "slow", "html", "half", "cut"]
ApiMode = Literal["well", "down", "silent", "html", "unrouted", "failed", "unavailable", "elsewhere", "behind"]

HOSTILE = "q'\"$!%/ \\{}&*(;"  # what breaks a shell, a URL, a connection string, JSON or SQL that is not quoted


@dataclass(frozen=True)
class Stage:
    """Names of one stage's resources, as CloudFormation would make them."""

    name: str
    bastion_address: str

    @property
    def prefix(self) -> str:
        """What every resource of the stage begins with."""
        return f"quo-integrations-{self.name}-"

    @property
    def cluster(self) -> str:
        """The generated identifier of its cluster."""
        suffix = "".join(random.Random(self.name).choices(string.ascii_lowercase + string.digits, k=12))  # noqa: S311
        return f"{self.prefix}friggauroracluster-{suffix}"

    @property
    def restored(self) -> str:
        """The identifier of a cluster restored beside it, as a person would name it."""
        return f"{self.prefix}restored"


@dataclass
class TunnelPlan:
    """The way to the database, as a client on this machine finds it.

    Attributes:
        host_key: whether the file of known hosts has the bastion's key; None: it has another one.
        key_mode: the mode of the SSH key's file; None: there is no such file.
        key_accepted: whether the bastion lets the key in.
        bastion_silent: whether the bastion accepts connections and says nothing.
        endpoint_known: whether the bastion knows the cluster's names.
        script_exists: whether the checkout has the tunnel script.
        database: the one that the registry names.
        database_silent: whether the server accepts connections and says nothing.
        connections_left: whether the server has any.
        may_pause: whether the cluster goes to sleep.
    """

    host_key: bool | None = True
    key_mode: int | None = 0o600
    key_accepted: bool = True
    bastion_silent: bool = False
    endpoint_known: bool = True
    script_exists: bool = True
    database: str = "postgres"
    database_silent: bool = False
    connections_left: bool = True
    may_pause: bool = False


LOCAL, OTHER = Stage("local", "127.0.0.1"), Stage("staging", "127.0.0.2")


def password() -> str:
    """A password that holds every hostile character, fresh for each run."""
    return HOSTILE + "".join(secrets.choice(string.ascii_letters) for _ in range(16))


@dataclass
class RecordedRow:
    """A row of ``_prisma_migrations`` to put in beside those of the applied migrations.

    ``{last}`` in ``name`` and ``{checksum}`` in ``checksum`` stand for those of the last migration that is applied
    in full, in part or, with ``Plan.not_applied``, not at all.
    """

    name: str = "{last}"
    checksum: str = field(default_factory=lambda: secrets.token_hex(32))
    finished: bool = True
    rolled_back: bool = False
    logs: str | None = None
    age: timedelta = timedelta(hours=3)
    ran: bool = True  # by the engine; ``migrate resolve`` counts no steps


@dataclass(frozen=True)
class RecordedRun:
    """A migration run of the past, as S3 keeps it; ``age`` since its last change."""

    state: Literal["INITIALIZING", "RUNNING", "COMPLETED", "FAILED"]
    age: timedelta


@dataclass
class Plan:
    """The environment as it is to be; as it stands it is healthy."""

    case: Case | None = None  # what is to be in the database and in the migrations directory, in place of our own
    database_password: str = field(default_factory=password)
    secret_password: str = ""
    secret_exists: bool = True
    functions_password: str = ""  # in their DATABASE_URL
    functions_host: str = "{writer}"  # to which their DATABASE_URL leads
    function_keys: bool = True  # whether the functions hold the admin key
    cluster_stopped: bool = False
    second_cluster: bool = False  # whether another cluster fits the stage
    bastion_admitted: bool = True  # whether the cluster's security group lets the bastion in
    admin_key: str = field(default_factory=lambda: HOSTILE.replace("\\", "") + secrets.token_urlsafe(16))
    api_key: str = ""
    aws_modes: dict[str, AwsMode] = field(default_factory=dict)  # operation → how AWS fails, see sandbox.aws.proxy
    bastion_running: bool = True
    database_running: bool = True
    script_endpoint: str = "{writer}"
    script_bastion: str = LOCAL.bastion_address
    way: TunnelPlan = field(default_factory=TunnelPlan)
    not_applied: int = 0  # so many of the last migrations are left out
    half_applied: bool = False  # of the last migration with several statements only the first half runs
    last_recorded: bool = True  # whether the last applied migration has its row
    rows: list[RecordedRow] = field(default_factory=list)
    lock_held: bool = False  # whether a session holds the migration lock
    applied_migrations: dict[str, str] = field(default_factory=dict)  # beside the sandbox's own; they are applied
    extensions: dict[str, str] = field(default_factory=dict)  # of its server alone: name → the SQL of what it brings
    extra_migrations: dict[str, str | None] = field(default_factory=dict)  # None: a directory without a file
    lock_file: str | None = None  # another text for migration_lock.toml
    edit: Callable[[str], str] | None = None  # of the last migration's file, once it is applied
    reader: bool = False  # whether the cluster has a second instance, a hot standby
    reader_reachable: bool = True
    pooler: bool = False  # whether something between bastion and database drops the settings of sessions
    afterwards: list[str] = field(default_factory=list)  # SQL after all migrations
    log_lines: dict[str, Sequence[str]] = field(default_factory=dict)  # function → what it logs after the quiet lines
    layer: Callable[[dict[str, bytes]], dict[str, bytes]] = dict  # of the directory's files, what the layer holds
    layer_of_auth: int = 2  # the version that the auth function carries; the worker's is 2
    api_mode: ApiMode = "well"  # see sandbox.api.server
    api_prefix: Literal["/db-migrate", "/admin/db-migrate"] = "/db-migrate"  # of the generations G2 and G3
    runs: list[RecordedRun] = field(default_factory=lambda: [RecordedRun("COMPLETED", timedelta(days=30))])
    limits: dict[str, float] = field(default_factory=dict)  # shortened, where a fault is to be seen at once

    @property
    def changes_directory(self) -> bool:
        """Whether the migrations on disk are to be others than those that were given."""
        return bool(self.applied_migrations or self.extra_migrations or self.lock_file or self.edit)

    def __post_init__(self) -> None:
        self.secret_password = self.secret_password or self.database_password
        self.functions_password = self.functions_password or self.database_password
        self.api_key = self.api_key or self.admin_key
