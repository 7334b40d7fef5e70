"""The proof that a run has written nothing, and whether its role could have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from health.words import listed

READ_ONLY = "25006"  # read_only_sql_transaction: PostgreSQL's refusal in a transaction that is read only
NO_RIGHT = "42501"  # insufficient_privilege: the role alone was refused
ROLE = "docs/reference/read-only-role.sql"


@dataclass(frozen=True)
class SessionProof:
    """What a session said of itself as the last thing before its end.

    Attributes:
        server: ``writer`` or ``reader``.
        user: the role that logged in.
        wrote: whether its transaction has an id, which only those get that write.
        refused: the SQLSTATE with which an attempted write was refused; empty where it was not.
        rights: by what the role could have written without the guard; empty where it could not.
        held: what the suite never takes, and the session held: advisory locks, locks against others' work, channels.
    """

    server: str
    user: str
    wrote: bool
    refused: str
    rights: tuple[str, ...] = ()
    held: tuple[str, ...] = ()

    @property
    def guarded(self) -> bool:
        """Whether the transaction itself, and not only the role's rights, kept it from writing."""
        return self.refused == READ_ONLY and not self.wrote


@dataclass(frozen=True)
class ReadOnlyProof:
    """The proof of each session of an environment."""

    sessions: tuple[SessionProof, ...]

    @property
    def sentence(self) -> str:
        """In a line: what is proven, and what was only the guard's doing."""
        open_ones = [session.server for session in self.sessions if not session.guarded]
        if open_ones:
            return f"not proven on the {' and the '.join(open_ones)}: see the check nothing-written"
        if held := [held for session in self.sessions for held in session.held]:
            return f"a session held {listed(held, 2)}: see the check nothing-written"
        many = " on each server" if len(self.sessions) > 1 else ""
        said = f"nothing was written, and a write was refused{many} ({READ_ONLY})"
        able = {session.user: session.rights for session in self.sessions if session.rights}
        for user, rights in able.items():
            said += f"; {user} could have written ({listed(rights, 1)}): a role of {ROLE} could not"
        return said


def together(proofs: Sequence[SessionProof]) -> SessionProof:
    """What holds of all sessions of one role with one server: the least that any of them can prove."""
    least = next((proof for proof in proofs if not proof.guarded), proofs[0])
    held = tuple(dict.fromkeys(held for proof in proofs for held in proof.held))
    return replace(least, wrote=any(proof.wrote for proof in proofs), held=held)
