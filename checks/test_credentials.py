"""Who we are, and whether the keys that the other checks need are where they should be."""

from collections.abc import Iterator

from health.aws.resources import DatabaseSecret, Identity, LambdaFunction
from health.check import check
from health.config.environment import Environment
from health.finding import Finding


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
        yield database_secret.problem


@check(finds={"admin-api-key-missing": "error"})
def test_admin_api_key(functions: tuple[LambdaFunction, ...]) -> Iterator[Finding]:
    """The auth function holds the key of the migration API, `ADMIN_API_KEY`.

    A Frigg API without the key rejects everyone, so migrations can be neither triggered nor followed.

    Mend it by setting the variable for the deploy and deploying again.
    """
    for function in functions:
        if function.purpose != "auth" or "ADMIN_API_KEY" in function.variables:
            continue
        if function.found:
            message = f"Function {function.name} has no variable ADMIN_API_KEY, or an empty one."
        else:
            message = f"There is no function {function.name}."
        yield Finding("admin-api-key-missing", function.name, message, {"function": function.name})
