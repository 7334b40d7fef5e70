"""Command lines for a person to run."""

from __future__ import annotations

from health.config.environment import Environment
from health.finding import DEPLOY, Fix
from health.parts import Part
from health.sanitize import shell_word

_STALE_BUILD = (
    "On a machine that has built before, remove layers/prisma/.build-complete first: with it, a deploy ships the layer "
    "of that build. "
)
quote = shell_word
_NO_WAY_BACK = "Prisma has no way back from an applied migration: there is no undo."


def psql(environment: Environment, *words: str) -> str:
    """A ``psql`` command for an environment's database: at its own server, or at the end of your tunnel."""
    login = environment.url_login
    if login is None:
        return " ".join(["psql", *map(quote, (_database(environment.database), *words))])
    host = login.url.hosts[0]
    where = ("-h", host.name, "-p", str(host.port), "-U", login.url.user, "-d", _database(login.url.database))
    return " ".join(["psql", *map(quote, (*where, *words))])


def _database(name: str) -> str:
    """A database's name for psql, which takes an option, a URL or what has a ``=`` for something else."""
    if "=" not in name and not name.startswith(("-", "postgres://", "postgresql://")):
        return name
    escaped = name.replace("\\", "\\\\").replace("'", "\\'")
    return f"dbname='{escaped}'"


def way(environment: Environment) -> str:
    """Where a login of a person's own must lead, for a sentence."""
    if Part.TUNNEL in environment.parts or environment.url_login is None:
        return "through your tunnel"
    host = environment.url_login.url.hosts[0]
    return f"to database {environment.database} at {host.name}:{host.port}"


def aws(environment: Environment, *words: str) -> str:
    """An ``aws`` command for an environment."""
    profile = ("--profile", environment.profile) if environment.profile else ()
    endpoint = ("--endpoint-url", environment.aws_endpoint_url) if environment.aws_endpoint_url else ()
    return " ".join(quote(word) for word in ("aws", *words, "--region", environment.region, *profile, *endpoint))


def deploy(environment: Environment) -> str:
    """The command that deploys an environment: the registry's or the application's own, else Frigg's."""
    if environment.deploy:
        return environment.deploy
    profile = f"AWS_PROFILE={quote(environment.profile)} " if environment.profile else ""
    return f"{profile}npx frigg deploy --stage={quote(environment.stage)}"


def deployment(environment: Environment) -> Fix:
    """The deploy as a fix: it comes after what must be mended before it."""
    return Fix(
        "command",
        f"Deploy {environment.name}",
        deploy(environment),
        note=(_STALE_BUILD if Part.LAYER in environment.parts else "") + _NO_WAY_BACK,
        rank=DEPLOY,
    )


def deployment_with_key(environment: Environment) -> Fix:
    """The deploy that gives auth function and API the same key."""
    return Fix(
        "command",
        "Deploy again with ADMIN_API_KEY set",
        deploy(environment),
        note="Run it in the application's backend with the wanted key exported as ADMIN_API_KEY: functions keep the "
        "variables of their last deploy. There is no undo but another deploy.",
        rank=DEPLOY,
    )
