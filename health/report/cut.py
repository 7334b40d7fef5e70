"""Cuts a Markdown text to a number of bytes, so that what is left is still one."""

from __future__ import annotations

from collections.abc import Iterable

_NOTICE = "\n\n**Cut here:** GitHub takes no more of a summary. `--report DIR` writes all of it to `summary.md`.\n"


def cut(blocks: Iterable[str], room: int) -> str:
    """Return the blocks, a line end after each, as far as there is room, and say where some are left out.

    Args:
        blocks: each with all of a fenced block that it begins; a ``<details>`` may be ended by a later one.
        room: bytes as UTF-8.

    Raises:
        ValueError: there is no room even for saying so.
    """
    taken, size, depth = list[str](), 0, 0
    end, closing = len(_NOTICE.encode()), len("\n</details>")
    for block in blocks:
        opened = 0 if block.lstrip("\n").startswith("```") else block.count("<details") - block.count("</details>")
        length = len(block.encode(errors="replace")) + 1
        if size + length + end + closing * max(depth, depth + opened) > room:
            text = "".join(taken) + "\n</details>" * depth + _NOTICE
            if len(text.encode(errors="replace")) > room:
                raise ValueError("there is no room left in it")
            return text
        taken.append(f"{block}\n")
        size, depth = size + length, depth + opened
    return "".join(taken)
