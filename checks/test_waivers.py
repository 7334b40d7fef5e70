"""The findings that were accepted for a while, in ``waivers.toml``."""

from collections.abc import Iterator

from health.check import check
from health.finding import Finding
from health.waivers.waivers import Waivers


# unused-waiver comes from the record of the run (health/report.py): only at its end is it known.
@check(finds={"expired-waiver": "warning", "malformed-waiver": "warning", "unused-waiver": "info"})
def test_waivers_hold(waivers: Waivers) -> Iterator[Finding]:
    """Every waiver of the environment can be understood, has not expired, and is needed.

    A waiver accepts one finding until a day, for a reason that somebody answers for. One that has expired or
    cannot be understood waives nothing, so its finding blocks as before; one that no finding needs would
    accept, unseen, the same finding when it comes back. Whether a waiver is needed is said only after a run in
    which every check was made.

    Mend it in the waivers file: decide anew about an expired one, correct a malformed one, and remove an
    unused one.
    """
    for waiver in waivers.expired:
        yield Finding(
            "expired-waiver",
            waiver.place,
            f"{waiver.code}, {waiver.subject}, was waived until {waiver.expires} and is no more. "
            f"Owner: {waiver.owner}. Reason: {waiver.reason}",
            {"code": waiver.code, "subject": waiver.subject, "expires": waiver.expires.isoformat()},
        )
    for malformed in waivers.malformed:
        yield Finding("malformed-waiver", malformed.place, f"It waives nothing. {' '.join(malformed.problems)}")
