"""What the sandbox is to build; faults change it before anything starts."""

from __future__ import annotations

import random
import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from sandbox.front import Mode

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


@dataclass(frozen=True)
class RecordedRun:
    """A migration run of the past, as S3 keeps it; ``age`` since its last change."""

    state: Literal["INITIALIZING", "RUNNING", "COMPLETED", "FAILED"]
    age: timedelta


@dataclass
class Plan:
    """The environment as it is to be; as it stands it is healthy."""

    database_password: str = field(default_factory=password)
    secret_password: str = ""
    admin_key: str = field(default_factory=lambda: HOSTILE.replace("\\", "") + secrets.token_urlsafe(16))
    api_key: str = ""
    aws_modes: dict[str, Mode] = field(default_factory=dict)  # operation → how AWS fails, see sandbox.front
    bastion_running: bool = True
    database_running: bool = True
    script_endpoint: str = "{writer}"
    script_bastion: str = LOCAL.bastion_address
    not_applied: int = 0  # so many of the last migrations are left out
    half_applied: bool = False  # of the last migration with several statements only the first half runs
    last_recorded: bool = True  # whether the last applied migration has its row
    rows: list[RecordedRow] = field(default_factory=list)
    lock_held: bool = False  # whether a session holds the migration lock
    extra_migrations: dict[str, str | None] = field(default_factory=dict)  # None: a directory without a file
    lock_file: str | None = None  # another text for migration_lock.toml
    edit: Callable[[str], str] | None = None  # of the last migration's file, once it is applied
    afterwards: list[str] = field(default_factory=list)  # SQL after all migrations
    api_mode: ApiMode = "well"  # see sandbox.api
    api_prefix: Literal["/db-migrate", "/admin/db-migrate"] = "/db-migrate"  # of the generations G2 and G3
    runs: list[RecordedRun] = field(default_factory=lambda: [RecordedRun("COMPLETED", timedelta(days=30))])
    limits: dict[str, float] = field(default_factory=dict)  # in the registry's entry

    @property
    def changes_directory(self) -> bool:
        """Whether the migrations on disk are to be others than those that were given."""
        return bool(self.extra_migrations or self.lock_file or self.edit)

    def __post_init__(self) -> None:
        self.secret_password = self.secret_password or self.database_password
        self.api_key = self.api_key or self.admin_key
