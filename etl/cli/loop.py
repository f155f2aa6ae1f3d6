"""The loop of `shafaf schedule`: the main job again and again, each time in a process of its own.

A process of its own is the guard: whatever happens in a job, the loop lives, memory is given back, and the job's exit
code is all that is logged. The job takes the instance's lock itself, so a run by hand and a run by the loop do not
meet (75, logged). In production a systemd timer or cron with `shafaf run` does the same.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import schedule

from etl.cli.console import tell
from etl.cli.journal import note, note_error
from etl.errors import UsageError
from etl.instance import Instance

LONGEST_SLEEP = 60.0  # seconds; a changed clock is noticed within a minute


def run_once(instance: Instance) -> int:
    """Run the main job in a process of its own and give its exit code; an error is logged, never raised."""
    command = [sys.executable, "-m", "etl", "--portal", str(instance.root), "run"]
    code = subprocess.run(command, check=False).returncode
    (note if code == 0 else note_error)("job-finished", {"exit_code": code})
    if code != 0:
        tell(f"the job ended with exit code {code}; the next one starts as planned")
    return code


@dataclass(frozen=True)
class Loop:
    """When the job runs: daily `at` HH:MM of the machine's zone, or `every` so many minutes.

    `job` gives an exit code; `sleep` waits seconds. Both are given in so that a test needs neither time nor a process.
    """

    instance: Instance
    at: str = "02:00"
    every: int | None = None
    job: Callable[[Instance], int] = run_once
    sleep: Callable[[float], None] = time.sleep

    def run(self) -> None:
        """Run until stopped (Ctrl-C, SIGTERM)."""
        jobs = self.plan()
        tell(f"next run: {jobs.next_run:%Y-%m-%d %H:%M}; Ctrl-C stops")
        while True:
            jobs.run_pending()
            idle = jobs.idle_seconds
            self.sleep(min(max(idle or 0.0, 1.0), LONGEST_SLEEP))

    def plan(self) -> schedule.Scheduler:
        """Make the plan; UsageError where `at` is no time of the day."""
        jobs = schedule.Scheduler()
        try:
            entry = jobs.every(self.every).minutes if self.every else jobs.every().day.at(self.at)
        except schedule.ScheduleValueError:
            raise UsageError(
                "schedule-at",
                found=f"the time {self.at!r}",
                expected="hours and minutes, 00:00 to 23:59",
                todo="Write --at as HH:MM.",
            ) from None
        entry.do(self.job, self.instance)
        return jobs
