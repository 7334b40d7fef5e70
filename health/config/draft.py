"""Drafts an ``environments.toml`` from what an application's files say; each value names the file it came from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from health.sanitize import one_line

_COLUMN = 60  # where the remarks stand, if the settings leave room
_EXAMPLE = "us-east-1"


@dataclass(frozen=True)
class Taken:
    """A value, and the file that it was taken from, for a person."""

    value: str
    source: str


@dataclass(frozen=True)
class PlainApplication:
    """A Prisma application that deploys itself.

    Attributes:
        app: its directory, relative to the registry's.
        migrations: the migrations directory, relative to the application.
        variable: the environment variable with its database's URL.
        deploy: the command that deploys its migrations.
    """

    app: str
    migrations: Taken
    variable: Taken
    deploy: Taken


@dataclass(frozen=True)
class FriggApplication:
    """A Frigg application on AWS; None where no file tells.

    Attributes:
        app: the checkout, relative to the registry's directory.
        migrations: the migrations directory, relative to the checkout; so are the other paths.
        service: what the names of its resources begin with.
        ssh_key: the bastion's private key.
        stages: the stages that the tunnel script names, each with the bastion's address.
        endpoints: stage → the database that the script leads to.
    """

    app: str
    migrations: Taken
    service: Taken
    ssh_key: Taken
    region: Taken | None = None
    tunnel_script: Taken | None = None
    stages: Mapping[str, Taken | None] = field(default_factory=dict)
    endpoints: Mapping[str, Taken] = field(default_factory=dict)


def plain_registry(found: PlainApplication) -> str:
    """The registry of an application whose database has a URL."""
    return _text(
        [
            "# Written by migration-health init. Each environment is a table; a URL comes from a variable, so that no",
            "# password stands here. docs/guides/environments.md tells what else one can have.",
            "",
            "[defaults]",
            *_settings(
                [
                    ("app", found.app, "the application; paths below start there"),
                    ("migrations", found.migrations.value, found.migrations.source),
                ]
            ),
            # Left out, the command is run in the application, with the URL of the environment that it is printed for.
            *(f"# {line}" for line in _settings([("deploy", found.deploy.value, found.deploy.source)])),
            "",
            "[database]",
            *_settings([("database_url", f"${{{found.variable.value}}}", found.variable.source)]),
            "",
            "# [prod]",
            '# database_url = "${PROD_DATABASE_URL}"',
        ]
    )


def frigg_registry(found: FriggApplication) -> str:
    """The registry of a Frigg application: names as Frigg makes them of the service and the stage."""
    service, confirm = found.service.value, f"confirm: {found.service.source}"
    names = [
        ("functions.auth", f"{service}-{{env}}-auth", confirm),
        ("functions.worker", f"{service}-{{env}}-dbMigrationWorker", confirm),
        ("function_prefix", f"{service}-{{env}}-", confirm),
        ("secret", f"{service}-{{env}}-db-credentials", confirm),
        ("database", "postgres", ""),
        ("cluster_prefix", f"{service}-{{env}}-", confirm),
    ]
    lines = [
        "# Written by migration-health init. What a remark says `confirm` of was taken from that file, or is named as",
        "# Frigg names it; {env} is the environment's stage. What stands in a comment no file told.",
        "",
        "[defaults]",
        *_settings([("app", found.app, "the checkout; paths below start there")]),
        *_perhaps("region", found.region, _EXAMPLE),
        '# profile = "…"  # of ~/.aws/config; without it the default credentials',
        *_settings(names),
        *_settings([("bastion_tag", "*bastion*", ""), ("ssh_user", "ec2-user", "")]),
        *_perhaps("ssh_key", found.ssh_key),
        *_perhaps("tunnel_script", found.tunnel_script, "scripts/postgres-tunnel.sh"),
        *_settings([("migrations", found.migrations.value, found.migrations.source)]),
        f'# layer = "{service}-prisma-{{env}}"  # of the functions, with Prisma and the migrations',
    ]
    for stage in found.stages or {"dev": None, "prod": None}:
        lines += ["", f"[{stage}]", *_stage(found, stage)]
    return _text(lines)


def _stage(found: FriggApplication, stage: str) -> Iterator[str]:
    region = found.region.value if found.region else _EXAMPLE
    yield f'# api_url = "https://….execute-api.{region}.amazonaws.com"'
    yield from _perhaps("bastion_address", found.stages.get(stage), "203.0.113.10")
    if stage in found.endpoints:
        endpoint, source = found.endpoints[stage].value, found.endpoints[stage].source
        yield f"# its database, by {one_line(source)}: {one_line(endpoint)}"
        identifier = endpoint.partition(".")[0]
        if not identifier.startswith(f"{found.service.value}-{stage}-"):
            yield from _perhaps("cluster_prefix", Taken(identifier, source))


def _perhaps(key: str, taken: Taken | None, example: str = "") -> list[str]:
    if taken is None:
        return [f"# {key} = {_quoted(example)}"]
    return _settings([(key, taken.value, f"confirm: {taken.source}")])


def _settings(settings: Sequence[tuple[str, str, str]]) -> list[str]:
    lines = []
    for key, value, remark in settings:
        line = f"{key} = {_quoted(value)}"
        lines.append(f"{line:{_COLUMN}} # {one_line(remark)}" if remark else line)
    return lines


def _quoted(text: str) -> str:
    """A TOML text, which is written as JSON's but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _text(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"
