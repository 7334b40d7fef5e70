"""What holds of every format that a record is written in, and what each looks like."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import pytest
from jsonschema import Draft4Validator

from health.finding import Place
from health.report.cut import cut
from health.report.places import below, fingerprint
from tests.support import records
from tests.support.hostile import HOSTILE
from tests.support.paths import DATA
from tests.support.written_formats import FORMATS, ROOM, ROOT

STATES = ("healthy", "blocked", "unknown", "waived")
ATTACKS = {
    "ansi": "\x1b[2J\x1b]0;title\x07\x1b]8;;http://evil\x07click\x1b]8;;\x07",
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>\"'</testcase>]]><!--",
    "markdown": "[click](http://evil) ![x](http://evil/p.png) @team #1 `a` **b**\n# Title\n```\n</details>",
    "command": "::set-env name=PATH::/evil",
    "command on a line": "x\n::set-env name=PATH::/evil\r::error::y\n##[set-env name=PATH]/evil ##vso[task.complete]",
    "in a property": "a,title=b::error file=/etc/passwd,line=1::%0A::set-env name=PATH::/evil",
    "right to left": "\u202egnp.exe\u2066\u200b",
    "large": "x" * 1_000_000,
    "large lines": "::error::x\n" * 100_000,
    **{f"{number}": text for number, text in enumerate(HOSTILE)},
}


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("name", FORMATS)
def test_hostile_text_is_inert(name: str, attack: str) -> None:
    text = FORMATS[name].write(records.hostile(ATTACKS[attack]))
    FORMATS[name].inert(text)
    if (largest := FORMATS[name].largest) is not None:
        assert len(text.encode()) <= largest


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", ["summary.md", "junit", "annotations", "sarif", "code climate"])
def test_snapshot(name: str, state: str) -> None:
    file = DATA / "snapshots" / "formats" / f"{state} {name}".replace(" ", "-")
    text = FORMATS[name].write(records.record(records.environment("prod", state)))
    if os.environ.get("UPDATE_SNAPSHOTS"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    assert text == file.read_text()


# SARIF


def test_sarif_is_valid_by_its_schema() -> None:
    schema = json.loads((DATA / "sarif-2.1.0-rtm.5.json").read_text())
    validator = Draft4Validator(schema, format_checker=Draft4Validator.FORMAT_CHECKER)
    several = records.record(*(records.environment(f"e{number}", state) for number, state in enumerate(STATES)))
    for record in (several, records.hostile("x"), records.hostile("::a::\x1b[31m ü"), records.record()):
        validator.validate(json.loads(FORMATS["sarif"].write(record)))
    assert not validator.is_valid({"version": "2.1.0", "runs": [{"results": [{"ruleId": "x"}]}]})


def test_a_finding_is_known_again_on_another_machine() -> None:
    def known(path: str, line: int = 3, environment: str = "prod") -> str:
        found = records.found("stale-endpoint", f"{path}, dev", "error", Place(path, line))
        return fingerprint(environment, found)

    assert known("/home/ann/app/tunnel.sh") == known("/builds/7/app/tunnel.sh", 4)
    assert known("/a/tunnel.sh") != known("/a/tunnel.sh", environment="dev")
    issues = json.loads(FORMATS["code climate"].write(records.record(records.environment("prod", "blocked"))))
    assert len({issue["fingerprint"] for issue in issues}) == len(issues) == 2


@pytest.mark.parametrize(
    ("path", "inside"),
    [
        ("/checkout/a/b.sql", "a/b.sql"),
        ("/checkouts/a.sql", None),
        ("/checkout/../etc/passwd", None),
        ("a.sql", None),
    ],
)
def test_a_path_is_relative_to_the_checkout(path: str, inside: str | None) -> None:
    assert below(path, ROOT) == inside


def test_a_file_elsewhere_is_absolute_in_sarif_and_not_named_elsewhere() -> None:
    environment = records.environment("prod", "healthy")
    (remark,) = environment.findings
    elsewhere = replace(remark, place=Place("/else where/m.sql", 7))
    checks = [replace(each, findings=(elsewhere,) if each.findings else ()) for each in environment.checks]
    record = records.record(replace(environment, checks=tuple(checks)))
    (result,) = json.loads(FORMATS["sarif"].write(record))["runs"][0]["results"]
    location = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert location == {"uri": "file:///else%20where/m.sql"}
    assert "file=" not in FORMATS["annotations"].write(record)
    assert json.loads(FORMATS["code climate"].write(record)) == []


# GitHub


def many(count: int) -> str:
    found = [records.found("pending-sql-remark", f"m{number}", "warning") for number in range(count)]
    first = records.environment("prod", "blocked")
    check = records.check("pending-sql-reviewed", "pending", "prod", "warned", *found)
    return FORMATS["annotations"].write(records.record(replace(first, checks=(*first.checks[:-1], check))))


def test_at_most_ten_annotations_of_a_kind_the_worst_first() -> None:
    lines = many(10).splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["::error"] * 2 + ["::warning"] * 10
    lines = many(25).splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["::error"] * 2 + ["::warning"] * 10
    assert lines[-1].endswith("::16 more of severity warning are not shown here: the summary has them.")
    assert "m8" in lines[-2]


def test_a_runner_reads_back_what_was_escaped() -> None:
    text = FORMATS["annotations"].write(records.hostile("50%, at a:b\nsecond%0Aline"))
    line = text.splitlines()[0]
    assert "50%25, at a:b second%250Aline" in line
    assert line.count("::") == 2
    properties = line.split("::")[1]
    assert properties.startswith("error file=50%25%2C at a%3Ab second%250Aline/migration.sql,line=1,title=prod%3A ")


def test_a_summary_that_is_too_large_is_cut_and_says_so() -> None:
    blocks = ["# Title", "<details>", *(f"```sql\n{'x' * 1000}\n```" for _ in range(50)), "</details>"]
    text = cut(blocks, 10_000)
    assert 9_000 < len(text.encode()) <= 10_000
    assert text.count("```") % 2 == 0
    assert (text.count("<details>"), text.count("</details>")) == (1, 1)
    assert "**Cut here:**" in text
    assert cut(blocks, ROOM) == "\n".join(blocks) + "\n"
    with pytest.raises(ValueError, match="no room"):
        cut(blocks, 50)
