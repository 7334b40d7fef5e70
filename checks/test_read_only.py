"""What the suite itself may do to an environment: nothing."""

from collections.abc import Iterator

from health.check import check
from health.finding import Finding
from health.read_only.proof import NO_RIGHT, ReadOnlyProof
from health.words import listed


@check(finds={"write-not-refused": "error", "session-held-lock": "error"})
def test_nothing_written(read_only_proof: ReadOnlyProof) -> Iterator[Finding]:
    """Each session with the database has written nothing, and could not have.

    As the last thing, each session says whether its transaction has an id, which only those get that write, and
    attempts a write that does nothing: `SELECT … WHERE false FOR SHARE`. PostgreSQL must refuse it because the
    transaction is read only (25006). That the role has no right to it (42501) proves only the role. A pooler or
    proxy on the way that rewrites what begins a transaction takes the guard away.

    A session of the suite takes no advisory lock, and locks a table against nobody. If it holds such a lock then, code
    that the database keeps has run in it: of an event trigger at the login, or of a function that a query called.

    Mend it by a role that cannot write by itself, and by a way to the database that leaves sessions as they are.
    """
    for session in read_only_proof.sessions:
        if session.held:
            yield Finding(
                "session-held-lock",
                session.server,
                f"The session of {session.user} with the {session.server} held {listed(session.held, 3)}. The suite "
                "takes none: code that the database keeps has run in its session.",
                {"user": session.user, "held": session.held},
            )
        if session.guarded:
            continue
        if session.wrote:
            what = "has begun to write: its transaction has an id"
        elif session.refused == NO_RIGHT:
            what = "was refused a write by its role's rights alone, so its transaction is not read only"
        else:
            what = "was allowed a write (one that does nothing)"
        yield Finding(
            "write-not-refused",
            session.server,
            f"The session of {session.user} with the {session.server} {what}. The suite asked for a read-only "
            "transaction; something on the way did not pass that on.",
            {"user": session.user, "refused": session.refused or None, "rights": session.rights},
        )
