"""The environment's secrets, as far as a run of this suite could show them."""

from collections.abc import Iterator

from health.check import check
from health.finding import Finding
from health.secrets.weak import WeakSecret
from health.words import listed

_SHOWN = 5  # further places that a message names


@check(finds={"secret-too-weak": "warning"})
def test_secrets_can_be_hidden(weak_secrets: tuple[WeakSecret, ...]) -> Iterator[Finding]:
    """Every secret that a run reads can be told from the other words of its output.

    Secrets are replaced by `***` in all that a run writes. One of fewer than six characters stands in other words
    by chance, and one that is a word of the report (`healthy`, `postgres`) would take that word away with it: such
    a secret is not replaced, and anybody guesses it soon. A deploy is as safe with it as without: this is a warning.

    Mend it by a longer, random secret; the finding names which one, and never its value.
    """
    for secret in weak_secrets:
        others = f" It is also {listed(secret.others, _SHOWN)}." if secret.others else ""
        yield Finding(
            "secret-too-weak",
            secret.name,
            f"It cannot be hidden in this suite's output: {secret.reason}. Where it occurs, it can be read.{others}",
            {"others": secret.others},
        )
