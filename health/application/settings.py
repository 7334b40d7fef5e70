"""A setting of an application, as its file gives it: a text, a variable of the environment, or computed."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Text:
    """A text that stands in the file; it may be a URL with a password, so printing the value does not show it."""

    text: str = field(repr=False)


@dataclass(frozen=True)
class Variable:
    """A variable of the environment.

    Attributes:
        name: such as DATABASE_URL.
        fallback: whether the file names another value for where the variable is not set.
    """

    name: str
    fallback: bool = False


@dataclass(frozen=True)
class Computed:
    """A value that only running the file can tell; the reason names the expression."""

    reason: str


Setting = Text | Variable | Computed | None  # None: the file does not set it
