"""Splits the changes of one ALTER TABLE at the commas between them."""

from __future__ import annotations

from health.sql.splitter import TOKEN


def split_clauses(text: str) -> list[str]:
    """The clauses, in their order; commas in brackets, quotes and texts are part of one."""
    clauses, current, depth, place = [], "", 0, 0
    while token := TOKEN.match(text, place):
        place = token.end()
        if token.lastgroup == "dollar":
            end = text.find(token[0], place)
            place = len(text) if end < 0 else end + len(token[0])
        piece = text[token.start() : place]
        depth += (piece in {"(", "["}) - (piece in {")", "]"})
        if piece == "," and not depth:
            clauses.append(current.strip())
            current = ""
        else:
            current += piece
    return [clause for clause in (*clauses, current.strip()) if clause]
