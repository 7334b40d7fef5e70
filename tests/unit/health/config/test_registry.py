"""The registry: what is understood, and the errors that teach."""

from __future__ import annotations

from pathlib import Path

import pytest

from health.config import registry
from health.config.environment import Environment
from health.config.validation import RegistryError
from health.parts import Part
from plugins.paths import ROOT

SHIPPED = ROOT / "environments.toml"
VARIABLES = {"HOME": "/home/ann", "KEY": "k'\"$ %"}
MINIMAL = """
[qa]
api_url = "https://api.example"
functions.auth = "acme-{env}-auth"
functions.worker = "acme-{env}-worker"
secret = "acme-{env}-db"
cluster_prefix = "acme-{env}-"
ssh_key = "keys/{env}.pem"
tunnel_script = "tunnel.sh"
migrations = "migrations"
"""


def load(text: str) -> registry.Registry:
    return registry.parse(text, "environments.toml", Path("/suite"))


def test_shipped_registry_is_the_guides_quick_reference() -> None:
    known = registry.parse(SHIPPED.read_text(), "environments.toml", SHIPPED.parent)
    assert known.names == ("dev", "prod", "local")
    assert known.deployed == ("dev", "prod")
    dev, prod = (
        registry.environment(known, name, VARIABLES, {"app": ("--app", Path("/app"))}) for name in known.deployed
    )
    assert dev.api_url == "https://qj27h2g6i1.execute-api.us-east-1.amazonaws.com"
    assert prod.api_url == "https://oe4xqic7q9.execute-api.us-east-1.amazonaws.com"
    assert (dev.bastion_address, prod.bastion_address) == ("54.166.108.144", "54.144.229.67")
    assert (prod.region, prod.profile, prod.database, prod.ssh_user) == (
        "us-east-1",
        "quo-deploy",
        "postgres",
        "ec2-user",
    )
    assert prod.functions == {"auth": "quo-integrations-prod-auth", "worker": "quo-integrations-prod-dbMigrationWorker"}
    assert prod.function_prefix == "quo-integrations-prod-"
    assert prod.variables == {"auth": ("ADMIN_API_KEY", "DATABASE_URL"), "worker": ("DATABASE_URL", "S3_BUCKET_NAME")}
    assert prod.secret == "quo-integrations-prod-db-credentials"
    assert prod.cluster_prefix == "quo-integrations-prod-"
    assert prod.layer == "quo-integrations-prisma-prod"
    assert prod.log_minutes == {"auth": 30, "worker": 10}
    assert prod.ssh_key == Path("/app/backend/security/quo-postgres-bastion.pem")
    assert prod.tunnel_script == Path("/app/scripts/postgres-tunnel.sh")
    assert prod.migrations == Path("/app/backend/node_modules/@friggframework/core/prisma-postgresql/migrations")
    assert prod.known_hosts == Path("/home/ann/.ssh/known_hosts")
    assert prod.stages == ("dev", "local", "local-dev", "prod")
    assert prod.sources["app"] == "--app"
    assert dev.script_stages == {"local-dev": "quo-integrations-local-dev-"}
    assert prod.script_stages == {}


def test_a_window_of_a_log_is_set_alone() -> None:
    known = load("[defaults]\nlog_minutes.auth = 60\n" + MINIMAL + "log_minutes.worker = 0.5\n")
    assert registry.environment(known, "qa", VARIABLES, {}).log_minutes == {"auth": 60, "worker": 0.5}


def test_values_are_expanded() -> None:
    known = load(MINIMAL + 'aws_access_key_id = "AKIA"\naws_secret_access_key = "${KEY}"\nknown_hosts = "~/hosts"\n')
    environment = registry.environment(known, "qa", VARIABLES, {"migrations": ("--migrations", Path("/m"))})
    assert environment.functions["auth"] == "acme-qa-auth"
    assert environment.ssh_key == Path("/suite/keys/qa.pem")
    assert environment.known_hosts == Path("/home/ann/hosts")
    assert environment.migrations == Path("/m")
    assert environment.aws_secret_access_key is not None
    assert environment.aws_secret_access_key.reveal() == VARIABLES["KEY"]
    assert VARIABLES["KEY"] not in repr(environment)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("[qa\n", ["environments.toml", "not valid TOML", "line 1"], id="not TOML"),
        pytest.param("", ["no environment", "[prod]"], id="empty"),
        pytest.param('name = "x"\n', ["stands outside a table", "[defaults]"], id="outside a table"),
        pytest.param("[qa]\nregoin = 'x'\n", ["[qa]", "regoin", "region"], id="unknown key"),
        pytest.param("[qa]\nregion = 5\n", ["[qa]", "region = 5", "text"], id="wrong type"),
        pytest.param("[qa]\nembedded = 'yes'\n", ["embedded = 'yes'", "true or false"], id="no boolean"),
        pytest.param("[qa]\nssh_port = 0\n", ["ssh_port = 0", "1 to 65535"], id="no port"),
        pytest.param("[qa]\nssh_port = true\n", ["ssh_port = True", "whole number"], id="boolean for a number"),
        pytest.param("[qa]\napi_url = 'x'\n", ["api_url = 'x'", "https://"], id="no URL"),
        pytest.param("[qa]\nlimits.connect_s = 0\n", ["limits.connect_s = 0", "above 0"], id="limit of 0"),
        pytest.param("[qa]\nlimits.conect_s = 1\n", ["limits.conect_s", "connect_s"], id="unknown limit"),
        pytest.param("[qa]\nlog_minutes.auth = 0\n", ["log_minutes.auth = 0", "Write minutes"], id="window of 0"),
        pytest.param("[qa]\nlog_minutes.auth = 1e9\n", ["log_minutes.auth", "to 1440"], id="window of ages"),
        pytest.param("[qa]\nlog_minutes.api = 1\n", ["log_minutes.api", "auth, worker"], id="unknown log"),
        pytest.param("[qa]\nfunctions.auth = 1\n", ["functions.auth = 1"], id="no function name"),
        pytest.param("[qa]\nscript_stages = 'x'\n", ["script_stages = 'x'", "list"], id="stages as text"),
        pytest.param("[qa]\nscript_stages = ['a b']\n", ["script_stages", "'a b'", "local-dev"], id="no stage"),
        pytest.param("[qa]\nvariables.auth = 'X'\n", ["variables.auth = 'X'", "names in [ ]"], id="no list of names"),
        pytest.param("[all]\nregion = 'x'\n", ["[all]", "another name"], id="reserved name"),
        pytest.param("['a b']\nregion = 'x'\n", ["[a b]", "letters"], id="name with a space"),
    ],
)
def test_errors_name_file_key_value_and_remedy(text: str, told: list[str]) -> None:
    with pytest.raises(RegistryError) as error:
        load(text)
    assert all(part in str(error.value) for part in ["environments.toml", *told])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (MINIMAL + 'profile = "${NOT_SET}"\n', ["[qa]", "profile", "NOT_SET", "Export it"]),
        (MINIMAL.replace("ssh_key", "# ssh_key"), ["[qa]", "ssh_key missing"]),
        (MINIMAL.replace("functions.worker", "# functions.worker"), ["functions.worker missing"]),
        (MINIMAL + 'variables.auht = ["X"]\n', ["[qa]", "variables.auht is of no function", "auth, worker"]),
    ],
)
def test_missing_values_are_named(text: str, told: list[str]) -> None:
    with pytest.raises(RegistryError) as error:
        registry.environment(load(text), "qa", VARIABLES, {})
    assert all(part in str(error.value) for part in told)


def test_further_stages_of_the_script() -> None:
    known = load(MINIMAL + 'script_stages = ["qa-2", "local-qa"]\n[prod]\nscript_stages = ["old"]\n')
    qa = registry.environment(known, "qa", VARIABLES, {})
    assert qa.script_stages == {"qa-2": "acme-qa-2-", "local-qa": "acme-local-qa-"}
    assert qa.stages == ("local-qa", "old", "prod", "qa", "qa-2")  # the script may name any of them


def test_a_variable_of_another_environment_is_not_needed() -> None:
    other = MINIMAL.replace("[qa]", "[other]") + 'profile = "${NOT_SET}"\n'
    assert registry.environment(load(MINIMAL + other), "qa", VARIABLES, {}).name == "qa"


@pytest.mark.parametrize(
    ("table", "asks"),
    [
        ("[qa]", False),
        ("[prod]", True),
        ('[live]\nstage = "prod"', True),
        ("[prod]\nconfirm = false", False),
        ("[qa]\nconfirm = true", True),
    ],
)
def test_what_changes_production_is_confirmed_unless_said_otherwise(table: str, asks: bool) -> None:
    known = load(MINIMAL.replace("[qa]", table))
    (name,) = known.names
    assert registry.environment(known, name, VARIABLES, {}).confirm is asks


def test_selection() -> None:
    known = load("[prod]\n[dev]\n[local]\nembedded = true\n")
    assert known.select("all") == ("prod", "dev")
    assert known.select("dev, prod,dev") == ("dev", "prod")
    with pytest.raises(RegistryError, match="did you mean prod"):
        known.select("prdo")
    with pytest.raises(RegistryError, match="it has prod, dev, local"):
        known.select("zzz")
    with pytest.raises(RegistryError, match="names no environment"):
        known.select(",")


@pytest.mark.parametrize("sandbox", [False, True])
def test_where_things_are_tried(sandbox: bool) -> None:
    known = load(MINIMAL + 'clone = "postgresql://me:${CLONE_PW}@host/db"\n')
    entry = {key: value for key, value in known.entries["qa"].items() if key != "clone"} if sandbox else None
    read = registry.environment(known, "qa", {**VARIABLES, "CLONE_PW": "of-the-clone"}, {}, entry)
    assert read.clone.login is not None
    assert read.clone.login.password.reveal() == "of-the-clone"
    assert "of-the-clone" not in repr(read)
    assert registry.environment(load(MINIMAL), "qa", VARIABLES, {}).clone.kind == "auto"


def test_no_place_to_try_things_is_refused_without_its_password() -> None:
    known = load('[defaults]\nclone = "mysql://me:of-the-clone@host"\n' + MINIMAL)
    with pytest.raises(RegistryError, match="clone is none of auto, embedded") as refused:
        registry.environment(known, "qa", VARIABLES, {})
    assert "of-the-clone" not in str(refused.value)


PLAIN = '[staging]\ndatabase_url = "${STAGING_URL}"\n'
FRIGGS = (
    "[defaults]\n"
    + MINIMAL.replace("[qa]\n", "")
    + 'layer = "l"\nprofile = "p"\nregion = "eu-west-1"\nschema_file = "s"\n'
    'rows = "1MB"\nprisma = "6.1.0"\nlimits.database_s = 9\nfrigg = true\nknown_differences = ["table t"]\n[prod]\n'
)


def parts(text: str, name: str) -> set[Part]:
    return set(registry.environment(load(text), name, VARIABLES, {}).parts)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", set()),
        ("frigg = true\n", {Part.FRIGG}),
        ('tunnel_script = "t.sh"\n', None),
        (
            'functions.auth = "a"\nfunctions.worker = "w"\n',
            {Part.AWS, Part.FUNCTIONS, Part.LOGS, Part.FRIGG},
        ),
        (
            'functions.auth = "a"\nfunctions.worker = "w"\nfrigg = false\nlayer = "l"\napi_url = "https://api.example"\n',
            {Part.AWS, Part.FUNCTIONS, Part.LOGS, Part.LAYER, Part.API},
        ),
    ],
    ids=["bare", "frigg", "script", "functions", "all"],
)
def test_an_environment_with_a_url_has_the_parts_that_its_entry_describes(
    more: str, expected: set[Part] | None
) -> None:
    if expected is not None:
        assert parts(PLAIN + more, "staging") == expected
        return
    with pytest.raises(RegistryError, match="database_url is one way to the database, and tunnel_script is of another"):
        parts(PLAIN + more, "staging")


def test_an_environment_over_aws_has_what_it_has_always_had() -> None:
    every = set(Part)
    assert parts(MINIMAL, "qa") == every - {Part.LAYER}
    assert parts(FRIGGS, "prod") == every


def test_one_with_a_url_inherits_nothing_of_aws_from_the_defaults() -> None:
    known = load(FRIGGS + PLAIN)
    staging = registry.environment(known, "staging", {**VARIABLES, "AWS_PROFILE": "mine"}, {})
    assert staging.parts == frozenset()
    bare = Environment("staging", "staging")
    for key in (
        "api_url",
        "functions",
        "secret",
        "cluster_prefix",
        "ssh_key",
        "tunnel_script",
        "layer",
        "profile",
        "region",
    ):
        assert getattr(staging, key) == getattr(bare, key), key
    assert "profile" not in staging.sources
    # What says how its database is judged, it does.
    assert (staging.rows, staging.prisma, staging.limits.database_s) == (1_000_000, "6.1.0", 9)
    assert staging.known_differences == ("table t",)
    assert staging.migrations == Path("/suite/migrations")
    own = registry.environment(load(FRIGGS + PLAIN + 'app = "mine"\n'), "staging", VARIABLES, {})
    assert (own.app, own.migrations, own.schema_file) == (Path("/suite/mine"), Path(), Path())


def test_a_url_waits_for_its_variable_and_is_not_shown() -> None:
    staging = registry.environment(load(PLAIN), "staging", VARIABLES, {})  # it may stand in a .env file
    assert staging.database_url == "${STAGING_URL}"
    literal = load('[staging]\ndatabase_url = "postgresql://ann:geheim@db/shop"\n')
    assert "geheim" not in repr(literal)
    assert "geheim" not in repr(registry.environment(literal, "staging", VARIABLES, {}))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[staging]\n", "nothing says how to reach its database. Add database_url"),
        ('[staging]\nsecret = "s"\n', "cluster_prefix, ssh_key missing"),
        (PLAIN + 'secret = "s"\n', "database_url is one way to the database, and secret is of another"),
        (PLAIN + 'functions.auth = "a"\n', "functions.worker missing"),
        (PLAIN + 'api_url = "https://api.example"\n', "functions.auth, functions.worker missing"),
        (PLAIN + "database_url_ = 1\n", "database_url"),
        ("[staging]\ndatabase_url = 5\n", "database_url"),
        ('[defaults]\ndatabase_url = "x"\n' + PLAIN, "a database_url is of one environment"),
    ],
)
def test_half_a_description_says_what_is_missing(text: str, told: str) -> None:
    with pytest.raises(RegistryError) as error:
        registry.environment(load(text), "staging", VARIABLES, {})
    assert told in str(error.value)


def test_an_exported_profile_wins_over_the_defaults_and_not_over_an_entry() -> None:
    def chosen(text: str, name: str) -> tuple[str | None, str | None]:
        found = registry.environment(load(text), name, {**VARIABLES, "AWS_PROFILE": "mine"}, {})
        return found.profile, found.sources.get("profile")

    assert chosen(FRIGGS, "prod") == ("mine", "AWS_PROFILE")
    assert chosen(MINIMAL, "qa") == ("mine", "AWS_PROFILE")
    assert chosen(MINIMAL + 'profile = "own"\n', "qa") == ("own", "environments.toml")
