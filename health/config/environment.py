"""One deployed stack, as the registry describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from health.clone.server_choice import CloneOption
from health.config.database_url import UrlLogin
from health.parts import EVERY, Part
from health.secrets.secret import Secret


@dataclass(frozen=True)
class Limits:
    """How long each kind of waiting may take, in seconds."""

    connect_s: float = 5
    aws_connect_s: float = 3
    aws_read_s: float = 5
    aws_attempts: int = 2
    api_read_s: float = 30  # API Gateway's own
    database_s: float = 5
    data_s: float = 2  # one query about data
    wake_s: float = 45  # of a login where the cluster may be paused
    layer_s: float = 30  # reading the archive of the deployed layer
    fact_s: float = 60  # what no single limit stopped
    rehearsal_s: float = 60  # trying all fixes on copies
    migration_s: float = 960  # a run of --migrate; its worker is ended after 900
    poll_s: float = 2  # between two looks at it


LOG_MINUTES: Mapping[str, float] = {"auth": 30, "worker": 10}  # how far back the repair guide looks


@dataclass(frozen=True)
class Environment:
    """The settings of one environment; paths are absolute.

    Attributes:
        stage: the word that names it in AWS and in the tunnel script.
        parts: what its entry describes, and so what is judged beside database and migrations.
        frigg: whether it is an environment of Frigg's; None: its functions or its migrations tell.
        database_url: as the registry has it: with ``${VARIABLE}``, or literally; empty where the way leads over AWS.
        url_login: what it says, once its variables have been found.
        deploy: the command that deploys it; empty: Frigg's own.
        prisma_cli: the command that runs the application's own Prisma.
        embedded: whether it is the local one, whose settings the sandbox supplies.
        api_id: of API Gateway, where ``api_url`` has a host of one's own.
        functions: purpose → name of the Lambda function.
        function_prefix: what the name of every Lambda function begins with; empty: only ``functions`` are judged.
        variables: purpose → the environment variables that its function must have.
        prisma: the version of Prisma, for where the application does not tell.
        invariants: the directory of a team's own invariants; empty: it has none.
        schema_file: the Prisma schema, a file or a directory; empty: where Prisma would have it.
        accepted_checksums: migration → checksums with which its row is taken as unedited.
        known_differences: objects that may differ from what the migrations make, as the check names them; those of
            the schema file begin with ``schema file: ``.
        baselines: invariant of the data → how many offending rows are known and accepted.
        script_stages: further stage of the tunnel script that is judged with this environment → what the
            identifier of that stage's own cluster begins with.
        layer: the name of the functions' layer with Prisma and the migrations; empty where there is none.
        log_minutes: purpose → how many minutes of that function's log are read.
        clone: which PostgreSQL migrations and fixes are tried on.
        rows: up to how many bytes the rows of a table are copied to the clone; 0 copies none.
        notes: what a person must know of these settings, each a sentence.
        confirm: whether ``--migrate`` needs ``--confirm`` with its name; ``prod`` does unless said
            otherwise.
        stages: every stage that the tunnel script may name.
        sources: setting → where its value came from, for those that a person may want to know.
    """

    name: str
    stage: str
    parts: frozenset[Part] = EVERY
    frigg: bool | None = None
    database_url: str = field(default="", repr=False)
    url_login: UrlLogin | None = None
    deploy: str = ""
    prisma_cli: str = "npx prisma"
    embedded: bool = False
    api_url: str = ""
    api_id: str | None = None
    region: str = "us-east-1"
    profile: str | None = None
    account: str | None = None
    aws_endpoint_url: str | None = None
    aws_access_key_id: str | None = None
    aws_secret_access_key: Secret | None = None
    aws_session_token: Secret | None = None
    functions: Mapping[str, str] = field(default_factory=dict)
    function_prefix: str = ""
    variables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    secret: str = ""
    database: str = "postgres"
    schema: str = "public"
    prisma: str | None = None
    accepted_checksums: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    baselines: Mapping[str, int] = field(default_factory=dict)
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
    invariants: Path = Path()
    schema_file: Path = Path()
    known_differences: tuple[str, ...] = ()
    script_stages: Mapping[str, str] = field(default_factory=dict)
    layer: str = ""
    log_minutes: Mapping[str, float] = field(default_factory=lambda: dict(LOG_MINUTES))
    notes: tuple[str, ...] = ()
    confirm: bool = False
    stages: tuple[str, ...] = ()
    clone: CloneOption = field(default_factory=CloneOption)
    rows: int = 0
    limits: Limits = Limits()
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def schema_path(self) -> Path:
        """Where Prisma's schema is, also where nothing names it."""
        return self.schema_file if self.schema_file != Path() else self.migrations.parent / "schema.prisma"
