"""Whether security groups let a bastion in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from health.aws.resources import Bastion
from health.aws.security_groups import Rule, SecurityGroup, admission

BASTION = Bastion("i-1", "bastion", "running", "54.1.2.3", "10.0.1.9", ("sg-bastion", "sg-other"))
RULE = Rule("tcp", 5432, 5432)


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(replace(RULE, groups=("sg-x", "sg-other")), id="one of its groups"),
        pytest.param(replace(RULE, ranges=("10.0.1.9/32",)), id="its address"),
        pytest.param(replace(RULE, ranges=("::/0", "10.0.0.7/16")), id="a range with host bits"),
        pytest.param(Rule("-1", None, None, ("sg-bastion",)), id="every protocol"),
        pytest.param(Rule("tcp", 0, 65535, ("sg-bastion",)), id="every port"),
        pytest.param(Rule("6", 5000, 5432, ("sg-bastion",)), id="the end of a range of ports"),
    ],
)
def test_admitted(rule: Rule) -> None:
    assert admission([SecurityGroup(), SecurityGroup((rule,))], BASTION, 5432).admitted


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(replace(RULE, groups=("sg-1",)), id="another group"),
        pytest.param(replace(RULE, ranges=("10.0.1.8/32", "fd00::/8", "nonsense")), id="another address"),
        pytest.param(Rule("udp", 5432, 5432, ("sg-bastion",)), id="another protocol"),
        pytest.param(Rule("tcp", 5433, 6000, ("sg-bastion",)), id="other ports"),
        pytest.param(Rule("icmp", -1, -1, ("sg-bastion",)), id="no ports"),
    ],
)
def test_kept_out(rule: Rule) -> None:
    told = admission([SecurityGroup((rule,))], BASTION, 5432)
    assert (told.admitted, told.prefix_lists, told.by_public_address) == (False, (), False)


def test_what_cannot_be_known_and_the_classical_mistake_are_told() -> None:
    rules = (replace(RULE, prefix_lists=("pl-1",)), replace(RULE, ranges=("54.1.2.3/32",)))
    told = admission([SecurityGroup(rules)], BASTION, 5432)
    assert (told.admitted, told.prefix_lists, told.by_public_address) == (False, ("pl-1",), True)
    elsewhere = replace(rules[0], from_port=443, to_port=443)
    assert admission([SecurityGroup((elsewhere,))], BASTION, 5432).prefix_lists == ()
