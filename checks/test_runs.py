"""The runs that the migration API has recorded."""

from collections.abc import Iterator

from health.check import check
from health.finding import Finding
from health.history import WORKER_LIMIT_S
from health.runs import Runs

_MEANS = {
    "INITIALIZING": "No worker has begun it: the queue does not reach the worker, or that ends before its first step.",
    "RUNNING": f"Its worker was ended, by the limit of {WORKER_LIMIT_S} s or for want of memory, before it could "
    "record an end. The queue hands the job out again every 15 min, for 14 days.",
}


@check(finds={"run-stuck": "warning"})
def test_migration_runs(runs: Runs) -> Iterator[Finding]:
    """No migration run stands still.

    Frigg records each run in S3: INITIALIZING when it is queued, RUNNING when a worker takes it, then COMPLETED or
    FAILED. A worker may live 900 s. A run without an end that has not changed for longer has lost its worker,
    and no state of its own ever says so: whoever follows it waits for ever.

    Mend what ended the worker. The queue has no dead letters: a job that kills its worker is tried again and again.
    """
    for run in runs.stuck:
        minutes = (runs.read_at - run.updated_at).total_seconds() // 60
        yield Finding(
            "run-stuck",
            run.id,
            f"{run.state} since {run.updated_at:%Y-%m-%d %H:%M} UTC, {minutes:.0f} min ago. {_MEANS[run.state]}",
            {"state": run.state, "stage": run.stage, "bucket": runs.bucket},
        )
