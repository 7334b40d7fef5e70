"""The environment in AWS: account, secret, cluster, security groups, functions and their DATABASE_URL."""

from collections.abc import Iterator

from health.aws.database_url import DatabaseSettings, Destination, differences, place
from health.aws.resources import (
    Bastion,
    Cluster,
    DatabaseSecret,
    Identity,
    LambdaFunction,
    NoAdminKey,
    NotOneCluster,
    UnusableSecret,
    cluster_problem,
)  # fmt: skip
from health.aws.security_groups import SecurityGroup, admission
from health.check import check
from health.config.environment import Environment
from health.finding import Finding
from health.outcomes import judges
from health.words import listed

_SHOWN = 5  # functions that a message names


@check(finds={"wrong-account": "error"})
def test_aws_identity(identity: Identity, environment: Environment) -> Iterator[Finding]:
    """AWS accepts the credentials, and they belong to the environment's account.

    With another account's credentials every answer is about another environment of the same names. The
    account is compared where the registry names one (`account`).

    Mend it by logging in to the environment's account; nothing in the environment is to be changed.
    """
    if environment.account not in (None, identity.account):
        yield Finding(
            "wrong-account",
            identity.account,
            f"The credentials ({identity.source}) belong to account {identity.account}; "
            f"{environment.name} is in {environment.account}.",
        )


@check(finds={"database-secret-unusable": "error"})
def test_database_secret(database_secret: DatabaseSecret) -> Iterator[Finding]:
    """Secrets Manager holds the database's username and password.

    Frigg writes a JSON object with these two and nothing else, and each Lambda's `DATABASE_URL` is made
    from it at deploy time. Without it neither this suite nor the next deploy can log in.

    Mend it by restoring the secret, or by naming the right one as `secret` in the registry.
    """
    if database_secret.problem is not None:
        yield _unusable(database_secret.problem)


@judges(UnusableSecret, check="database-secret")
def _unusable(secret: UnusableSecret) -> Finding:
    message = {
        "absent": "Secrets Manager has no secret of this name, or it holds no value.",
        "malformed": "The secret is not a JSON object with username and password.",
        "empty": "The secret's username or password is empty or not a text.",
    }[secret.kind]
    return Finding("database-secret-unusable", secret.name, message)


@check(finds={"admin-api-key-missing": "error"}, explained_by={"admin-api-key-missing": ("function-missing",)})
def test_admin_api_key(functions: tuple[LambdaFunction, ...]) -> Iterator[Finding]:
    """The auth function holds the key of the migration API, `ADMIN_API_KEY`.

    A Frigg API without the key rejects everyone, so migrations can be neither triggered nor followed.

    Mend it by setting the variable for the deploy and deploying again.
    """
    for function in functions:
        if function.purpose == "auth" and "ADMIN_API_KEY" not in function.variables:
            yield _no_key(NoAdminKey(function.name, function.found))


@judges(NoAdminKey, check="admin-api-key")
def _no_key(missing: NoAdminKey) -> Finding:
    message = f"There is no function {missing.function}."
    if missing.exists:
        message = f"Function {missing.function} has no variable ADMIN_API_KEY, or an empty one."
    return Finding("admin-api-key-missing", missing.function, message, {"function": missing.function})


# A backup runs every day, and the cluster serves meanwhile.
_SERVING = ("available", "backing-up")


@check(finds={"cluster-missing": "error", "cluster-ambiguous": "error"})
def test_one_cluster(clusters: tuple[Cluster, ...], environment: Environment) -> Iterator[Finding]:
    """Exactly one cluster is the environment's.

    CloudFormation makes up the last part of its identifier, so it is known by the registry's `cluster_prefix`.
    After a restore or a replacement there may be two, and nobody can tell from outside which one the functions
    use: the first is never taken.

    Mend it by a `cluster_prefix` that fits one only, or delete the cluster that is not in use.
    """
    problem = cluster_problem(clusters, environment.cluster_prefix)
    if problem is not None:
        yield _not_one(problem)


@judges(NotOneCluster, check="one-cluster")
def _not_one(clusters: NotOneCluster) -> Finding:
    prefix, fitting = clusters.prefix, clusters.fitting
    if fitting:
        message = f"{len(fitting)} clusters named {prefix}…; AWS has {', '.join(fitting)}."
        return Finding("cluster-ambiguous", prefix, message, {"clusters": fitting})
    others = ", ".join(clusters.existing) or "none at all"
    return Finding("cluster-missing", prefix, f"No cluster named {prefix}…; AWS has {others}.")


@check(finds={"cluster-not-available": "error"})
def test_cluster_available(cluster: Cluster) -> Iterator[Finding]:
    """The cluster's status is `available`.

    A stopped cluster answers nobody, and one that is being modified, upgraded or failed over may end a migration
    in the middle. A backup disturbs nothing.

    Mend it by starting the cluster, or wait until AWS is done with it.
    """
    if cluster.status not in _SERVING:
        yield Finding(
            "cluster-not-available",
            cluster.identifier,
            f"The cluster {cluster.identifier} is {cluster.status or 'without a status'}, not available.",
            {"status": cluster.status},
        )


@check(finds={"security-group-closed": "error", "security-group-unclear": "info"})
def test_security_group(
    security_groups: tuple[SecurityGroup, ...], cluster: Cluster, bastion: Bastion
) -> Iterator[Finding]:
    """A security group of the cluster lets the bastion in on the database's port.

    Frigg's own rule lets in only what is in the same group; the bastion's is added by hand, so a rebuilt stack has
    lost it. A rule counts that names one of the bastion's groups, or a range with its private address: inside the
    VPC it does not come from its public one. What a prefix list holds is not known here.

    Mend it by the command: it adds a rule for the bastion's group.
    """
    told = admission(security_groups, bastion, cluster.port)
    if told.admitted:
        return
    names = ", ".join(cluster.security_groups)
    who = f"{bastion.name} ({', '.join(bastion.security_groups) or 'no group'}, {bastion.private_address})"
    if told.prefix_lists or not security_groups:
        why = f"only by prefix lists: {', '.join(told.prefix_lists)}" if told.prefix_lists else "AWS tells of no group"
        message = f"Whether the cluster lets in {who} on port {cluster.port} is not known, {why}."
        yield Finding("security-group-unclear", cluster.identifier, message)
        return
    public = f" A rule names {bastion.public_address}, from which it does not come." if told.by_public_address else ""
    yield Finding(
        "security-group-closed",
        cluster.identifier,
        f"No rule of {names} lets {who} in on port {cluster.port}: nobody reaches the database through it.{public}",
        {"security_groups": cluster.security_groups, "bastion": bastion.instance_id, "port": cluster.port},
    )


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


@check(
    finds={"database-url-password-stale": "error"},
    explained_by={"database-url-password-stale": ("database-login-refused", "database-url-stale")},
)
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
            f"{listed(stale, _SHOWN)}.",
            {"functions": tuple(stale)},
        )


@check(
    finds={"database-url-stale": "error"},
    explained_by={"database-url-stale": ("database-missing",)},  # the registry's own name of it is wrong
)
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
            message = f"DATABASE_URL of {listed(named, _SHOWN)} is no URL of PostgreSQL."
        elif told := "; ".join(differences(destination, environment.database, cluster, clusters)):
            message = f"DATABASE_URL of {listed(named, _SHOWN)} leads to {destination}: {told}."
        else:
            continue
        yield Finding("database-url-stale", _subject(destination), message, {"functions": tuple(named)})


@check(finds={"database-host-stale": "warning"}, explained_by={"database-host-stale": ("database-url-stale",)})
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
                f"DATABASE_HOST of {listed(named, _SHOWN)} is {host}: {place(host, cluster, clusters)}; "
                f"the writer is {cluster.writer_endpoint}.",
                {"functions": tuple(named)},
            )


def _subject(destination: Destination | None) -> str:
    return "DATABASE_URL" if destination is None else str(destination)
