"""What security groups let in, and whether a bastion is among it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from health.aws.resources import Bastion

_TCP = ("tcp", "6", "-1")  # by name or number; -1 is every protocol


@dataclass(frozen=True)
class Rule:
    """A rule for what comes in; ports are None where the rule is for all of them."""

    protocol: str
    from_port: int | None
    to_port: int | None
    groups: tuple[str, ...] = ()
    ranges: tuple[str, ...] = ()
    prefix_lists: tuple[str, ...] = ()

    def covers(self, port: int) -> bool:
        """Whether it is for TCP on a port."""
        if self.protocol not in _TCP:
            return False
        if self.protocol == "-1" or self.from_port is None or self.to_port is None or self.from_port == -1:
            return True
        return self.from_port <= port <= self.to_port

    def names(self, address: str | None) -> bool:
        """Whether an address is in one of its ranges."""
        return address is not None and any(_within(address, network) for network in self.ranges)

    def admits(self, bastion: Bastion) -> bool:
        """Whether a bastion is let in, by one of its groups or the address that it has inside the VPC."""
        return bool(set(self.groups) & set(bastion.security_groups)) or self.names(bastion.private_address)


@dataclass(frozen=True)
class SecurityGroup:
    """A security group with its rules for what comes in (EC2 DescribeSecurityGroups)."""

    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True)
class Admission:
    """Whether security groups let a bastion in on a port.

    Attributes:
        admitted: whether a rule does.
        prefix_lists: those of the rules for the port, whose content is not known here.
        by_public_address: whether a rule names the public address, which is not the one that it comes from.
    """

    admitted: bool
    prefix_lists: tuple[str, ...] = ()
    by_public_address: bool = False


def admission(groups: Iterable[SecurityGroup], bastion: Bastion, port: int) -> Admission:
    """Whether a bastion is let in on a port; one group that does is enough."""
    rules = [rule for group in groups for rule in group.rules if rule.covers(port)]
    return Admission(
        any(rule.admits(bastion) for rule in rules),
        tuple(name for rule in rules for name in rule.prefix_lists),
        any(rule.names(bastion.public_address) for rule in rules),
    )


def _within(address: str, network: str) -> bool:
    try:
        return ip_address(address) in ip_network(network, strict=False)
    except ValueError:
        return False
