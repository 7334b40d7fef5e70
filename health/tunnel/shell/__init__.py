"""Which variables a shell script assigns, to what, and under which tests: read tolerantly, never run.

Only as much of the shell's grammar as tells this is known: words and quotes, here-documents, lists,
`if`, `case`, loops, groups and functions. What is not understood is read as a command of no interest.
"""

from health.tunnel.shell.blocks import read
from health.tunnel.shell.model import Assignment, Block, Part

__all__ = ["Assignment", "Block", "Part", "read"]
