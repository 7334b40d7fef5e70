"""The Lambda functions: they are there, and what their variables say of the database is true today."""

from collections.abc import Iterator

from health.aws.database_url import DatabaseSettings, Destination, differences, place
from health.aws.resources import Cluster, DatabaseSecret, LambdaFunction
from health.check import check
from health.config.environment import Environment
from health.finding import Finding


@check(finds={"function-missing": "error"})
def test_functions(functions: tuple[LambdaFunction, ...]) -> Iterator[Finding]:
    """The functions that the registry names exist.

    The auth function holds the API's key, the worker runs the migrations. Without one of them the deploy has not
    been made, was made elsewhere, or the registry names it wrongly.

    Mend it by deploying, or by the right name under `functions` in the registry.
    """
    for function in functions:
        if not function.found:
            yield Finding(
                "function-missing",
                function.name,
                f"There is no function {function.name}, which the registry has as {function.purpose}.",
                {"purpose": function.purpose},
            )


@check(finds={"function-variable-missing": "error"})
def test_function_variables(functions: tuple[LambdaFunction, ...], environment: Environment) -> Iterator[Finding]:
    """Each function has the variables that the registry expects of it (`variables`), and none of them is empty.

    A migration that has started without one of them fails half way or cannot tell of its end. Names are shown,
    values never. `ADMIN_API_KEY` of the auth function is judged by `admin-api-key`.

    Mend it by setting them for the deploy and deploying again, or mend the registry's list.
    """
    for function in functions:
        wanted = environment.variables.get(function.purpose, ()) if function.found else ()
        missing = [name for name in wanted if name not in function.variables]
        if function.purpose == "auth":
            missing = [name for name in missing if name != "ADMIN_API_KEY"]
        if missing:
            yield Finding(
                "function-variable-missing",
                function.name,
                f"Function {function.name} lacks {', '.join(missing)}, or they are empty.",
                {"missing": tuple(missing)},
            )


@check(finds={"database-url-password-stale": "error"})
def test_database_url_password(
    database_settings: tuple[DatabaseSettings, ...], database_secret: DatabaseSecret
) -> Iterator[Finding]:
    """Every function's `DATABASE_URL` holds the password that the secret holds.

    CloudFormation puts it in at deploy time: after a rotation every function keeps the old one until the next
    deploy. It is compared as it is and percent-encoded, since an older Frigg did not encode it.

    Mend it by deploying; nothing in the database is to be changed.
    """
    stale = [each.function for each in database_settings if each.current_password is False]
    if stale:
        yield Finding(
            "database-url-password-stale",
            database_secret.name,
            f"The password in DATABASE_URL is not the secret's: the secret was changed after the last deploy of "
            f"{_listed(stale)}.",
            {"functions": tuple(stale)},
        )


@check(finds={"database-url-stale": "error"})
def test_database_url(
    database_settings: tuple[DatabaseSettings, ...], cluster: Cluster, clusters: tuple[Cluster, ...],
    environment: Environment,
) -> Iterator[Finding]:  # fmt: skip
    """Every function's `DATABASE_URL` leads to the writer endpoint of the environment's cluster of today.

    A replaced cluster has another endpoint, and the functions keep the old one until the next deploy: they fail,
    or, worse, migrate another environment's database. Port and name of the database are compared too.

    Mend it by deploying; nothing in the database is to be changed.
    """
    for destination in dict.fromkeys(each.destination for each in database_settings):
        named = [each.function for each in database_settings if each.destination == destination]
        if destination is None:
            message = f"DATABASE_URL of {_listed(named)} is no URL of PostgreSQL."
        elif told := "; ".join(differences(destination, environment.database, cluster, clusters)):
            message = f"DATABASE_URL of {_listed(named)} leads to {destination}: {told}."
        else:
            continue
        yield Finding("database-url-stale", _subject(destination), message, {"functions": tuple(named)})


@check(finds={"database-host-stale": "warning"})
def test_database_host(
    database_settings: tuple[DatabaseSettings, ...], cluster: Cluster, clusters: tuple[Cluster, ...]
) -> Iterator[Finding]:
    """Where a function has `DATABASE_HOST`, it is the writer endpoint too.

    Prisma connects by `DATABASE_URL`, so this one breaks nothing by itself; whoever reads it is led elsewhere. Frigg
    takes it from what it discovered last, which may have been another environment.

    Mend it by deploying from a clean checkout.
    """
    for host in dict.fromkeys(each.host for each in database_settings if each.host):
        if host != cluster.writer_endpoint:
            named = [each.function for each in database_settings if each.host == host]
            yield Finding(
                "database-host-stale",
                host,
                f"DATABASE_HOST of {_listed(named)} is {host}: {place(host, cluster, clusters)}; "
                f"the writer is {cluster.writer_endpoint}.",
                {"functions": tuple(named)},
            )


def _subject(destination: Destination | None) -> str:
    return "DATABASE_URL" if destination is None else str(destination)


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown  # noqa: PLR2004 - a line's worth
