"""``python bench/latency.py [--runs N] [--ms MS]``: how many round trips an environment's facts wait for.

Every hop goes through a relay that adds MS milliseconds per round trip. The facts' time is held against the longest
chain of round trips that cannot be avoided: each step of it is taken alone, and the relay counts its turns.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the file is started by its path

from bench.start import at_home

_EXTRAS: list[str] = []
_SECOND = "bastion: the tunnel's handshake"


def main() -> int:
    """Run the program; gives its exit status."""
    parser = argparse.ArgumentParser(prog="python bench/latency.py", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="repetitions that count (default: 3)")
    parser.add_argument("--ms", type=float, default=80.0, metavar="MS", help="added per round trip (default: 80)")
    options = parser.parse_args()
    at_home("bench.latency", _EXTRAS)
    _measure(options.runs, options.ms / 1000)
    return 0


def _measure(runs: int, round_trip_s: float) -> None:
    from tests.support import sandbox as harness

    with harness.sandbox() as entry, _relays(entry, round_trip_s) as (relays, delayed):
        env = harness.environment(delayed)
        _read(env)  # imports, and what is kept between runs
        facts_s = [_read(env) for _ in range(runs)]
        chain = _chain(env, relays, round_trip_s)
    trips = sum(chain.values())
    print(f"{round_trip_s * 1000:g} ms per round trip; {runs} readings after one that does not count\n")
    for step, number in chain.items():
        print(f"  {step:44} {number:4} round trips")
    print(f"  {'longest chain of unavoidable round trips':44} {trips:4} = {trips * round_trip_s:.2f} s")
    print(f"  {'facts of one environment':44}        {median(facts_s):.2f} s")
    print(f"\nratio {median(facts_s) / (trips * round_trip_s):.2f} (wanted: at most 1.5)")
    once = (trips - chain[_SECOND]) * round_trip_s
    print(f"ratio {median(facts_s) / once:.2f} where only the pre-flight's handshake counts, and not the tunnel's own")


def _read(env: Any) -> float:
    """Read every fact that the checks need; gives the seconds."""
    from fixtures.facts import Facts
    from plugins import fixes
    from plugins.run.check_catalog import all_checks

    checks = all_checks().values()
    names = {name for check in checks for name in check.needs}
    names |= {name for check in checks for code in check.finds for name in fixes.needs(code)}
    read = Facts(env, {"waivers": ()})
    try:
        began = time.monotonic()
        read.start(names)
        read.wait(lambda line: print(f"bench: {line}", file=sys.stderr))
        return time.monotonic() - began
    finally:
        read.close()


@contextmanager
def _relays(entry: dict[str, Any], round_trip_s: float) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """A relay before each hop, and the sandbox's entry with their ports."""
    from fixtures.clients.private_directory import private_directory
    from tests.support.relay import Relay

    with ExitStack() as stack:
        ports = {"aws": _port(entry["aws_endpoint_url"]), "api": _port(entry["api_url"]), "ssh": entry["ssh_port"]}
        relays = {name: Relay(port, round_trip_s) for name, port in ports.items()}
        for relay in relays.values():
            stack.callback(relay.close)
        known_hosts = stack.enter_context(private_directory("bench")) / "known_hosts"
        text = Path(entry["known_hosts"]).read_text()
        known_hosts.write_text(text.replace(f"]:{entry['ssh_port']} ", f"]:{relays['ssh'].port} "))
        yield (
            relays,
            {
                **entry,
                "aws_endpoint_url": f"http://127.0.0.1:{relays['aws'].port}",
                "api_url": f"http://127.0.0.1:{relays['api'].port}",
                "ssh_port": relays["ssh"].port,
                "known_hosts": str(known_hosts),
            },
        )


def _chain(env: Any, relays: dict[str, Any], round_trip_s: float) -> dict[str, int]:
    """The steps of the longest chain, each alone, with its round trips.

    Which cluster there is, and then: into the bastion (the pre-flight), the tunnel, the login, the questions.
    """
    from fixtures.facts import Facts
    from tests.support import sandbox as harness

    def count(relay: Any, connections: int, step: Callable[[], Any]) -> int:
        before = relay.turns
        step()
        time.sleep(2 * round_trip_s)  # the last turn may still be under way
        turns: int = relay.turns - before
        return turns // 2 + connections

    with harness.facts(env) as read:
        chain = {"AWS: the cluster": count(relays["aws"], 1, lambda: Facts(env, {})["aws"] and _cluster(env))}
        given = {name: read[name] for name in ("cluster", "bastion", "secret_read", "environment")}
        alone = Facts(env, given)
        try:
            chain["bastion: the pre-flight's handshake"] = count(relays["ssh"], 1, lambda: alone["preflight"])
            chain[_SECOND] = count(relays["ssh"], 1, lambda: alone["tunnel"])
            chain["database: the login"] = count(relays["ssh"], 0, lambda: alone["database"])
            chain["database: catalog and history"] = count(
                relays["ssh"], 0, lambda: (alone["catalog"], alone["recorded"])
            )
            chain["database: the proof, which comes last"] = count(relays["ssh"], 0, lambda: alone["read_only_proof"])
        finally:
            alone.close()
    return chain


def _cluster(env: Any) -> Any:
    from fixtures.aws.resources import Aws

    return Aws(env).call("rds", "describe_db_clusters", member="DBClusters")


def _port(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None  # noqa: S101 - the sandbox's URLs have one
    return port


if __name__ == "__main__":
    sys.exit(main())
