"""What a tunnel script is understood to say, and what is said to be unclear."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from health.tunnel.script import ScriptValue, TunnelScript, parse
from tests.support.paths import DATA

STAGES = {"dev", "prod", "local-dev", "local"}
SCRIPTS = DATA / "tunnel_scripts"

NO_STAGE = "neither its name nor a branch around it says which stage it is for"
TWO_STAGES = "its name and the branches around it name different stages"
COMPUTED = "its value is computed when the script runs"
NOT_PLAIN = "its value is not one plain host name or address"


def read(text: str) -> TunnelScript:
    """The script as the project would read it."""
    return parse("scripts/postgres-tunnel.sh", text, STAGES)


def said(script: TunnelScript) -> list[str]:
    """The values as `line kind stages host`."""
    return [f"{each.line} {each.kind} {'|'.join(each.stages)} {each.host}" for each in script.values]


def unclear(script: TunnelScript) -> list[str]:
    """What is not attributed as `line name: reason`."""
    return [f"{each.line} {each.name}: {each.reason}" for each in script.unattributed]


FILES = {
    "typical.sh": (
        [
            "23 endpoint dev|local-dev frigg-dev.cluster-abc.eu-west-1.rds.amazonaws.com",
            "24 bastion dev|local-dev 203.0.113.10",
            "27 endpoint prod frigg-prod.cluster-def.eu-west-1.rds.amazonaws.com",
            "31 bastion prod 203.0.113.20",
        ],
        [],
    ),
    "conditions.sh": (
        [
            "8 endpoint prod prod.example.com",
            "8 bastion prod 198.51.100.2",
            "11 endpoint dev|local-dev dev.example.com",
            "11 bastion dev|local-dev 198.51.100.1",
        ],
        [],
    ),
    "names.sh": (
        [
            "1 endpoint dev dev.example.com",
            "2 endpoint prod prod.example.com",
            "3 endpoint local-dev local-dev.example.com",
            "4 bastion dev|local-dev 198.51.100.1",
            "5 bastion prod 198.51.100.2",
        ],
        [f"9 ENDPOINT: {COMPUTED}"],
    ),
    "arrays.sh": (
        [
            "2 endpoint dev dev.example.com",
            "3 endpoint prod prod.example.com",
            "6 bastion dev 198.51.100.1",
            "7 bastion local-dev 198.51.100.3",
        ],
        [f"8 BASTIONS[]: {NO_STAGE}"],
    ),
}


@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("name", FILES)
def test_whole_scripts(name: str, line_end: str) -> None:
    """Scripts as teams have them, with either kind of line end."""
    script = read((SCRIPTS / name).read_text(encoding="utf-8").replace("\n", line_end))
    assert (said(script), unclear(script)) == FILES[name]


ATTRIBUTED = {
    "case on one line": (
        "case $1 in dev) ENDPOINT=d;; prod) ENDPOINT=p; BASTION_IP=b;; esac",
        ["1 endpoint dev d", "1 endpoint prod p", "1 bastion prod b"],
    ),
    "patterns in parentheses": ('case "$1" in\n("dev"|prod) ENDPOINT=d\nesac', ["2 endpoint dev|prod d"]),
    "an unknown stage beside a known one": ("case $1 in\ndev|qa) ENDPOINT=d;; esac", ["2 endpoint dev d"]),
    "the later of two": (
        "case $1 in dev) ENDPOINT=a\nENDPOINT=b\n;; esac",
        ["2 endpoint dev b"],
    ),
    "an override for one of two stages": (
        'case $1 in dev|prod)\nENDPOINT=a\n[ "$1" = prod ] && ENDPOINT=b\n;; esac',
        ["2 endpoint dev a", "3 endpoint prod b"],
    ),
    "only the first branch for a stage runs": (
        "case $1 in dev) ENDPOINT=a;;\ndev|prod) ENDPOINT=b;; esac",
        ["1 endpoint dev a", "2 endpoint prod b"],
    ),
    "only the first condition for a stage holds": (
        "if [ $1 = dev ]; then ENDPOINT=a\nelif [ $1 = dev ] || [ $1 = prod ]; then ENDPOINT=b; fi",
        ["1 endpoint dev a", "2 endpoint prod b"],
    ),
    "a condition in an unrelated one": (
        "if [ $# -gt 0 ]; then\n if test prod = ${1:-}; then ENDPOINT=p; fi\nfi",
        ["2 endpoint prod p"],
    ),
    "an unrelated condition in a branch": (
        "case $1 in dev) if true; then ENDPOINT=d; fi;; esac",
        ["1 endpoint dev d"],
    ),
    "-a and -o": (
        '[ "$1" = dev -o "$1" = prod ] && ENDPOINT=x\n[ -n "$2" -a "$1" = prod ] && { BASTION=y; }',
        ["1 endpoint dev|prod x", "2 bastion prod y"],
    ),
    "a list over two lines": ("[[ $1 == dev ]] &&\n  ENDPOINT=d", ["2 endpoint dev d"]),
    "the longest stage in a name": (
        "LOCAL_DEV_ENDPOINT=a LOCAL_ENDPOINT=b\nendpoint_local_dev=a\nprodBastionHost=c",
        ["1 endpoint local-dev a", "1 endpoint local b", "2 endpoint local-dev a", "3 bastion prod c"],
    ),
    "other names of an endpoint": (
        "DEV_DB_HOST=a\nDB_PROD_HOST=b\nLOCAL_CLUSTER_HOST=c",
        ["1 endpoint dev a", "2 endpoint prod b", "3 endpoint local c"],
    ),
    "names of what is no host": (
        "DEV_BASTION_USER=a DEV_BASTION_KEY_PATH=b DEV_BASTION_PORT=22 DEV_SSH_KEY=c DEV_ENDPOINT_PORT=5432\n"
        "DEV_BASTION_HOSTNAME=d",
        ["2 bastion dev d"],
    ),
    "user and port": (
        "DEV_BASTION=ec2-user@10.0.0.1:2222\nPROD_BASTION=$BASTION_USER@10.0.0.2",
        ["1 bastion dev 10.0.0.1", "2 bastion prod 10.0.0.2"],
    ),
    "a variable within user and port": (
        'DEV_IP=10.0.0.1\nDEV_BASTION="$SSH_USER@${DEV_IP}:22"',
        ["1 bastion dev 10.0.0.1"],
    ),
    "a chain of variables": (
        'HOST=d\nX=$HOST\ncase $1 in dev) ENDPOINT="$X" ;; esac',
        ["1 endpoint dev d"],
    ),
    "a variable that a function refers to": (
        'HOST=d\nf() { if [ "$1" = dev ]; then ENDPOINT=$HOST; fi; }',
        ["1 endpoint dev d"],
    ),
    "words that look like comments": (
        "DEV_ENDPOINT=a;# PROD_ENDPOINT=b\necho '# it' \"# is\" $# ; PROD_ENDPOINT=c",
        ["1 endpoint dev a", "2 endpoint prod c"],
    ),
    "words that are no assignments": (
        "echo DEV_ENDPOINT=a 'PROD_ENDPOINT=b'\n: $(PROD_ENDPOINT=c) <<-'X Y'\n\tPROD_ENDPOINT=d\n\tX Y\n"
        "(( x << 2 )); PROD_ENDPOINT=e 2>&1 >/dev/null",
        ["5 endpoint prod e"],
    ),
    "an empty value": ("ENDPOINT=\ncase $1 in dev) ENDPOINT=''; ENDPOINT=d;; esac", ["2 endpoint dev d"]),
    "a function's own commands": (
        "function set_it { DEV_ENDPOINT=d; }\nother() {\n PROD_ENDPOINT=p\n}",
        ["1 endpoint dev d", "3 endpoint prod p"],
    ),
}


@pytest.mark.parametrize("case", ATTRIBUTED)
def test_a_host_is_attributed(case: str) -> None:
    """Ways of writing which leave no doubt."""
    text, values = ATTRIBUTED[case]
    script = read(text)
    assert (said(script), unclear(script)) == (values, [])


UNCLEAR: dict[str, tuple[str, list[str], list[str]]] = {
    "no stage": ("ENDPOINT=x", [], [f"1 ENDPOINT: {NO_STAGE}"]),
    "any other stage": (
        "case $1 in *) ENDPOINT=x;; esac\ncase $1 in dev|*) ENDPOINT=x;; esac",
        [],
        [f"{line} ENDPOINT: {NO_STAGE}" for line in (1, 2)],
    ),
    "a stage nobody knows": ("case $1 in qa) ENDPOINT=x;; esac", [], [f"1 ENDPOINT: {NO_STAGE}"]),
    "a pattern": ("case $1 in dev*|!(prod)) ENDPOINT=x;; esac", [], [f"1 ENDPOINT: {NO_STAGE}"]),
    "after any stage": ("case $1 in *) ;; dev) ENDPOINT=x;; esac", [], [f"1 ENDPOINT: {NO_STAGE}"]),
    "a branch that goes on": (
        "case $1 in dev) ENDPOINT=a;&\nprod) ENDPOINT=b;; esac\ncase $1 in dev) ENDPOINT=c;;& esac",
        [],
        [f"{line} ENDPOINT: {NO_STAGE}" for line in (1, 2, 3)],
    ),
    "a stage or something else": (
        'if [ "$1" = dev ] || [ -n "$2" ]; then ENDPOINT=a; fi\n[ "$1" = dev -o "$2" = x ] && ENDPOINT=b\n'
        "case $1 in d*|prod) ENDPOINT=c;; esac\n[ ${1#local-} = dev ] && ENDPOINT=d\n"
        'case "${1#local-}" in dev) ENDPOINT=e;; esac',
        [],
        [f"{line} ENDPOINT: {NO_STAGE}" for line in (1, 2, 3, 4, 5)],
    ),
    "a condition that depends on an unrelated one before": (
        "if [ -n $2 ]; then [ $1 = dev ] && ENDPOINT=a\nelif [ $1 = dev ]; then ENDPOINT=b; fi",
        [],
        [f"{line} ENDPOINT: dev is given 2 different hosts" for line in (1, 2)],
    ),
    "the other stages": (
        "if [ $1 = prod ]; then ENDPOINT=p\nelse ENDPOINT=d; fi",
        ["1 endpoint prod p"],
        [f"2 ENDPOINT: {NO_STAGE}"],
    ),
    "not a stage": (
        "if [ $1 != prod ]; then ENDPOINT=a; fi\nif ! [ $1 = prod ]; then ENDPOINT=b; fi\n"
        "if [[ ! ( $1 == prod ) ]]; then ENDPOINT=c; fi",
        [],
        [f"{line} ENDPOINT: {NO_STAGE}" for line in (1, 2, 3)],
    ),
    "a stage or nothing": (
        "[ $1 = dev ] || ENDPOINT=a\n[ $1 = dev ] && true || ENDPOINT=b\ntrue || [ $1 = dev ] && ENDPOINT=c",
        [],
        [f"{line} ENDPOINT: {NO_STAGE}" for line in (1, 2, 3)],
    ),
    "a condition without a stage": (
        'if [ -n "$2" ]; then ENDPOINT=a; fi\nif grep -q dev x; then ENDPOINT=b; fi\n'
        "for s in dev prod; do ENDPOINT=c; done",
        [],
        [f"{line} ENDPOINT: {NO_STAGE}" for line in (1, 2, 3)],
    ),
    "two stages": (
        "DEV_PROD_ENDPOINT=x\ncase $1 in dev) PROD_ENDPOINT=y;; esac",
        [],
        [f"1 DEV_PROD_ENDPOINT: {TWO_STAGES}", f"2 PROD_ENDPOINT: {TWO_STAGES}"],
    ),
    "a command's output": (
        "DEV_ENDPOINT=$(aws rds describe-db-clusters --query \"x['a']\")\nPROD_ENDPOINT=`cat host`",
        [],
        [f"1 DEV_ENDPOINT: {COMPUTED}", f"2 PROD_ENDPOINT: {COMPUTED}"],
    ),
    "a default": (
        'DEV_ENDPOINT="${DEV_ENDPOINT:-d}"\n: "${PROD_ENDPOINT:=p}"',
        [],
        [f"1 DEV_ENDPOINT: {COMPUTED}", f"2 PROD_ENDPOINT: {COMPUTED}"],
    ),
    "put together": (
        "DEV_ENDPOINT=$NAME.example.com\nPROD_ENDPOINT+=.example.com",
        [],
        [f"1 DEV_ENDPOINT: {COMPUTED}", f"2 PROD_ENDPOINT: {COMPUTED}"],
    ),
    "an argument": (
        "DEV_ENDPOINT=$1",
        [],
        ["1 DEV_ENDPOINT: its value comes from $1, which the script does not set before"],
    ),
    "from the environment": (
        "DEV_ENDPOINT=${AURORA_ENDPOINT}\nAURORA_ENDPOINT=x",
        [],
        [
            "1 DEV_ENDPOINT: its value comes from $AURORA_ENDPOINT, which the script does not set before",
            f"2 AURORA_ENDPOINT: {NO_STAGE}",
        ],
    ),
    "one of several values": (
        "H=a\n[ -f x ] && H=b\nDEV_ENDPOINT=$H\nI=a\nf() { PROD_ENDPOINT=$I; }\nI=b",
        [],
        [
            "3 DEV_ENDPOINT: its value comes from $H, which may have several values",
            "5 PROD_ENDPOINT: its value comes from $I, which may have several values",
        ],
    ),
    "no host": (
        "DEV_ENDPOINT='<endpoint>'\nPROD_ENDPOINT=postgres://u:p@h/db\nDEV_BASTION='a'b\nPROD_BASTION=a\\ b",
        [],
        [
            f"{line} {name}: {NOT_PLAIN}"
            for line, name in enumerate(("DEV_ENDPOINT", "PROD_ENDPOINT", "DEV_BASTION", "PROD_BASTION"), 1)
        ],
    ),
    "two hosts for a stage": (
        "case $1 in dev|prod) if [ -n $2 ]; then ENDPOINT=a\n else ENDPOINT=b; fi;; esac",
        [],
        [f"{line} ENDPOINT: {stage} is given 2 different hosts" for line in (1, 2) for stage in ("dev", "prod")],
    ),
    "two hosts under two names": (
        "DEV_ENDPOINT=a\ncase $1 in dev|prod) ENDPOINT=b;; esac",
        ["2 endpoint prod b"],
        ["1 DEV_ENDPOINT: dev is given 2 different hosts", "2 ENDPOINT: dev is given 2 different hosts"],
    ),
    "the same host twice": (
        "case $1 in dev) ENDPOINT=a;; esac\nDEV_ENDPOINT=a",
        ["1 endpoint dev a", "2 endpoint dev a"],
        [],
    ),
    "overwritten for every stage": (
        "case $1 in dev) ENDPOINT=a;; esac\nENDPOINT=b",
        [],
        ["1 ENDPOINT: line 2 overwrites it, whatever the stage", f"2 ENDPOINT: {NO_STAGE}"],
    ),
    "an override by hand": (
        'case $1 in dev) ENDPOINT=a;; esac\nif [ -n "$OTHER" ]; then ENDPOINT=$OTHER; fi\nENDPOINT=${ENDPOINT%:*}',
        ["1 endpoint dev a"],
        [
            "2 ENDPOINT: its value comes from $OTHER, which the script does not set before",
            f"3 ENDPOINT: {COMPUTED}",
        ],
    ),
    "a list of hosts": ("DEV_ENDPOINTS=(a b)", [], [f"1 DEV_ENDPOINTS: {COMPUTED}"]),
}


@pytest.mark.parametrize("case", UNCLEAR)
def test_what_is_unclear_is_said_to_be_so(case: str) -> None:
    """Ways of writing which leave a doubt: it is said, and nothing is guessed."""
    text, values, reasons = UNCLEAR[case]
    script = read(text)
    assert (said(script), unclear(script)) == (values, reasons)


def test_the_value_for_a_stage_is_found() -> None:
    """By kind and stage, with the literal as it is written."""
    script = read("DEV_ENDPOINT=a\ncase $1 in dev|prod) BASTION=u@b:22;; esac")
    assert script.value("endpoint", "dev") == ScriptValue("endpoint", ("dev",), "a", "a", 1)
    assert script.value("bastion", "prod") == ScriptValue("bastion", ("dev", "prod"), "b", "u@b:22", 2)
    assert script.value("endpoint", "prod") is None
    assert "DEV_ENDPOINT" not in repr(script)


def test_one_literal_is_replaced() -> None:
    """The right one of two on a line, and nothing around it."""
    script = read("case $1 in dev) BASTION='u@b:22' ;; prod) BASTION='u@b:22' ;; esac # b\r\nb\r\n")
    value = script.value("bastion", "prod")
    assert value is not None
    replaced = script.with_host(value, "192.0.2.1")
    assert replaced == "case $1 in dev) BASTION='u@b:22' ;; prod) BASTION='u@192.0.2.1:22' ;; esac # b\r\nb\r\n"


@pytest.mark.parametrize("host", ["", "a b", "a;b", "$(a)", "a\n", "-a", 'a"', "a@b"])
def test_what_is_no_host_gets_into_no_script(host: str) -> None:
    """A host becomes part of a shell script."""
    script = read("DEV_ENDPOINT=a")
    with pytest.raises(ValueError, match="not a plain host"):
        script.with_host(script.values[0], host)


def test_a_value_of_another_script_is_refused() -> None:
    """Its offset would hit any text here."""
    with pytest.raises(ValueError, match="take the value from this script"):
        read("DEV_ENDPOINT=a").with_host(read("DEV_ENDPOINT=ab").values[0], "c")


FRAGMENTS = [
    *"\n\r\t ;|&(){}[]'\"`$\\#=!<>:@*",
    *(
        "case $1 in ",
        "dev",
        "prod)",
        "local-dev|",
        ";;",
        " esac ",
        "if ",
        "[ $1 = dev ]",
        "[[ ",
        "]]",
        "; then ",
    ),
    *(
        "elif ",
        "else ",
        " fi",
        "while ",
        "do ",
        "done ",
        "f() ",
        "$(",
        "${",
        "<<EOF\n",
        "EOF\n",
        " && ",
        " || ",
    ),
    *(
        "ENDPOINT=",
        "BASTION_HOST=",
        "DEV_ENDPOINT=",
        "$DEV_ENDPOINT",
        "A[dev]=",
        "declare -A ENDPOINTS=(",
        "[prod]=",
    ),
    *("a.example.com", "10.0.0.1", "u@h:22", "function ", "export ", "local "),
]


@given(
    st.lists(st.sampled_from(FRAGMENTS)).map("".join) | st.text(),
    st.from_regex(r"[a-z0-9.]+", fullmatch=True),
)
def test_any_text_is_read_and_only_one_line_changes(text: str, host: str) -> None:
    """No text makes the reader raise."""
    script = read(text)
    host = f"h{host}"
    for value in script.values:
        before, after = text.split("\n"), script.with_host(value, host).split("\n")
        old, new = before.pop(value.line - 1), after.pop(value.line - 1)
        assert value.stages
        assert value.literal in old
        assert host in new
        assert (after, len(new) - len(host)) == (before, len(old) - len(value.host))
        assert script.with_host(value, value.host) == text


LONG = {
    "quotes": "'\"" * 100_000,
    "substitutions": '"$(' * 60_000,
    "expansions": "${a[" * 50_000,
    "backquotes": "`\\" * 100_000,
    "parentheses": "(" * 100_001 + ")" * 100_000,
    "groups": "{ " * 60_000 + "} " * 40_000,
    "one word": "ENDPOINT=" + "a.@" * 60_000,
    "a long name": "DEV_" * 50_000 + "ENDPOINT=x",
    "one list": "[ $1 = dev ] && ENDPOINT=a || " * 6_000,
    "conditions": "if [ $1 = dev ]; then ENDPOINT=a\n" * 6_000,
    "branches": "case $1 in dev) ENDPOINT=a ;;\n" * 6_000,
    "patterns": "case $1 in " + "dev|" * 50_000 + "x) ENDPOINT=a",
    "a chain": "".join(f"E{n + 1}_ENDPOINT=$E{n}_ENDPOINT\n" for n in range(6_000)),
    "one variable": "DEV_ENDPOINT=a\n" * 20_000,
    "assignments": "A=a;" * 50_000,
    "documents": "cat <<A <<B\nA\n" * 14_000,
    "unlike ends": 'A[$(]="$(" )"` ' * 20_000,
    "lines": "\\\r\n" * 60_000,
    "elements": "declare -A ENDPOINTS=(" + "[dev]=a " * 20_000,
    "closers": "fi done } ) esac ;; " * 10_000,
    "functions": "f() { " * 20_000,
}


@pytest.mark.parametrize("case", LONG)
def test_a_long_script_takes_no_longer_than_its_length(case: str) -> None:
    """Nesting, repeats and what is never closed."""
    started = time.process_time()
    read(LONG[case])
    # about a second in fact; what grows with the square of the length takes minutes
    assert time.process_time() - started < 10
