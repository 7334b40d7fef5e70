"""Which environment a node id is of."""

import pytest

from plugins.run.xdist_scheduling import environment_of


@pytest.mark.parametrize(
    ("nodeid", "environment"),
    [
        ("checks/test_api.py::test_api_status[dev]", "dev"),
        ("checks/test_api.py::test_api_status[local-dev]", "local-dev"),
        ("checks/test_api.py::test_api_status[local-1]", "local"),
        ("checks/test_api.py::test_api_status[developer]", None),
        ("checks/test_api.py::test_api_status", None),
    ],
)
def test_environment_of(nodeid: str, environment: str | None) -> None:
    assert environment_of(nodeid, ("dev", "local", "local-dev")) == environment
