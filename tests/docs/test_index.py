"""The table of the repair guide's steps says what the code says; ``UPDATE_SNAPSHOTS=1`` writes it anew."""

from __future__ import annotations

import os
import re

from health.check import check_of_code
from plugins import fixes
from plugins.output.guide_steps import GUIDE_STEPS
from plugins.paths import ROOT
from plugins.run.check_catalog import all_checks
from sandbox.faults import FAULTS

FILE = ROOT / "docs" / "index.md"
_HEAD = r"\| guide step \| check \| finding \| fix \| fault \|\n\|---\|---\|---\|---\|---\|\n"
_TABLE = re.compile(rf"(?<={_HEAD})(\|.*\n)+")


def row(step: str, code: str) -> str:
    """A row of the table."""
    check = check_of_code(code)
    assert check is not None, f"there is no finding {code}"
    title = re.split(r"[.:;](?: |$)", fixes.title(code))[0]
    fix = "none: the finding says what to do" if title.startswith("None") else title
    faults = [fault.name for fault in FAULTS.values() if (fault.raises or "").partition(":")[0] == code]
    fault = f"`{faults[0]}`" if faults else "–"
    return f"| {step} | `{check.id}` | `{code}` | {fix} | {fault} |"


def test_every_step_has_its_check_its_fix_and_its_fault() -> None:
    all_checks()
    text = FILE.read_text()
    rows = "".join(f"{row(step, code)}\n" for code, step in GUIDE_STEPS.items())
    written = _TABLE.sub(lambda _: rows, text)
    if os.environ.get("UPDATE_SNAPSHOTS"):
        FILE.write_text(written)
    assert written == text
    assert len(GUIDE_STEPS) == 45


def test_every_link_leads_to_a_page() -> None:
    for page in (FILE, ROOT / "README.md"):
        links = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text())
        assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


def test_every_guide_is_in_the_index() -> None:
    text = FILE.read_text()
    pages = [path.relative_to(FILE.parent) for path in FILE.parent.rglob("*.md") if path != FILE]
    assert [str(page) for page in pages if f"({page})" not in text] == []
