"""The bars of anonymisation as one table: what is kept, what is invented, what it costs, each figure beside its bar.

`python -m bench.privacy [--quick] [LOG …]`. The logs are read from `$SHAFAF_DATA/logs`; where the folder is absent its rows
say so. PRETSA's figures are quoted from the notes beside the logs (reference code, k = 10, its most favourable setting,
wall seconds on the machine of the notes); PRETSA itself is not run. Rows that other commands measure run those commands;
`--quick` leaves them out. Exit code 1 where a bar that was measured is missed.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import geometric_mean
from typing import Any

from bench.privacy_logs import K, Ran, run_log
from bench.privacy_measures import Kept, measure
from bench.privacy_truth import Honesty, check_honesty
from etl.audit import audit, read_evidence
from etl.instance import Instance
from etl.pipeline import run_release

ROOT = Path(__file__).resolve().parents[1]
PRETSA_SECONDS = {"receipt": 3.3, "helpdesk": 9.2, "bpic2013_closed": 8.6, "sepsis": 82.0}
PRETSA_KEPT = {"receipt": 94.1, "helpdesk": 96.9, "bpic2013_closed": 78.6, "sepsis": 53.5}
PRETSA_FOLLOWS = {"receipt": 8.0, "helpdesk": 4.9, "bpic2013_closed": 24.0}
KEPT_BARS = {"receipt": 95.0, "helpdesk": 97.6, "bpic2013_closed": 88.0, "sepsis": 62.0}
FOLLOWS_BARS = {"receipt": 8.0, "helpdesk": 5.0, "bpic2013_closed": 24.0}
START_UP_CASES = 40  # enough for every query to be made
RESOLUTION = 0.05  # seconds; a log that takes less beyond its start-up counts as this much
EXACT_BAR, FINEST_BAR, TIMES_BAR = 90.0, 85.0, 30.0
BR_LAI_KEPT_BAR, BR_LAI_WIDTH_BAR, BR_LAI_SMALLEST = 80.0, 12.0, 100


@dataclass(frozen=True)
class Row:
    """One line of the table: what, the figure, its bar, whether it is reached (None: not measured here)."""

    claim: str
    figure: str
    bar: str
    is_reached: bool | None


@dataclass(frozen=True)
class Command:
    """A bar that another command of the project measures: its exit code tells."""

    claim: str
    bar: str
    arguments: tuple[str, ...]


COMMANDS = (
    Command("audit hits, synthetic office", "0", ("-m", "pytest", "-q", "-m", "not browser", "tests/audit")),
    Command("audit hits, real cases of four logs", "0", ("-m", "pytest", "-q", "-m", "long", "tests/audit/test_logs.py")),
    Command("honesty, random offices", "100 %", ("-m", "pytest", "-q", "tests/property/test_law_5_honest.py")),
    Command("mutants killed", "all", ("-m", "tests.mutants.run")),
    Command("50 million events, 24 rungs and step medians, 2 cores", "<= 6 minutes, <= 4 GB", ("-m", "bench.fifty")),
    Command("one more month on ten years", "<= 3 %", ("-m", "bench.history")),
)  # fmt: skip


def log_rows(folder: Path, logs: Sequence[str], work: Path) -> Iterator[Row]:
    """Anonymise the logs and compare what is left with the bars."""
    missing = [name for name in logs if not (folder / f"{name}.csv.gz").is_file()]
    for name in missing:
        yield Row(f"{name}: SKIPPED, no {name}.csv.gz in $SHAFAF_DATA/logs", "-", "-", None)
    found = [name for name in logs if name not in missing]
    if not found:
        return
    run_log(folder / f"{found[0]}.csv.gz", work / "warm", most=START_UP_CASES)  # what a process pays once
    times, starts = [], []
    for name in found:
        starts.append(run_log(folder / f"{name}.csv.gz", work / f"{name}-start", most=START_UP_CASES).processor_seconds)
        ran = run_log(folder / f"{name}.csv.gz", work / name)
        kept = measure(ran.cases, [group["case_count"] for group in ran.groups if not group["is_floor"]])
        yield from _kept_rows(name, kept)
        spent = max(ran.processor_seconds - starts[-1], RESOLUTION)
        times.append(PRETSA_SECONDS[name] / spent)
        run_release(Instance(work / name))
        yield _audit_row(name, work / name)
        yield Row(f"{name}: processor seconds (PRETSA {PRETSA_SECONDS[name]:g})", f"{spent:.2f}", "-", None)
    mean = geometric_mean(times)
    yield Row("times faster than PRETSA, geometric mean", f"{mean:.0f}", f">= {TIMES_BAR:.0f}", mean >= TIMES_BAR)
    yield Row(
        f"start-up: the same runs on {START_UP_CASES} cases each, not counted above",
        " ".join(f"{start:.2f}" for start in starts) + " s",
        "-",
        None,
    )
    if "receipt" in found:
        share = finest_share(run_log(folder / "receipt.csv.gz", work / "table", is_table=True))
        claim = "receipt: cases in their finest cell of quarter x channel x end (tau-ARGUS 45.6 %)"
        yield Row(claim, f"{share:.1f} %", f">= {FINEST_BAR:.0f} %", share >= FINEST_BAR)


def _kept_rows(name: str, kept: Kept) -> Iterator[Row]:
    yield Row(f"{name}: invented events", str(kept.invented), "0", kept.invented == 0)
    yield Row(f"{name}: smallest group, floor apart", str(kept.smallest), f">= {K}", kept.smallest >= K)
    yield Row(
        f"{name}: true events kept (PRETSA {PRETSA_KEPT[name]:g} %, with invention)",
        f"{kept.events:.2f} %",
        f">= {KEPT_BARS[name]:g} %",
        kept.events >= KEPT_BARS[name],
    )
    is_barred = name == "receipt"
    claim = f"{name}: cases with their exact sequence"
    bar = f">= {EXACT_BAR:g} %" if is_barred else "-"
    yield Row(claim, f"{kept.exact:.1f} %", bar, kept.exact >= EXACT_BAR if is_barred else None)
    yield Row(f"{name}: follows that never happened", str(kept.false_follows), "0", kept.false_follows == 0)
    most = FOLLOWS_BARS.get(name)
    anchor = f" (PRETSA {PRETSA_FOLLOWS[name]:g} %)" if most else ""
    yield Row(
        f"{name}: directly-follows error, L1{anchor}",
        f"{kept.follows_error:.2f} %",
        f"<= {most:g} %" if most else "-",
        kept.follows_error <= most if most else None,
    )


def finest_share(ran: Ran) -> float:
    """Give the share of cases whose row shows the season, the channel and the end; floors show neither."""
    whole = sum(group["case_count"] for group in ran.groups)
    finest = sum(
        group["case_count"]
        for group in ran.groups
        if group["cadence_code"] == "season" and group["channel_code"] is not None and group["service_id"] is not None
    )
    return float(100 * finest / whole)


def example_rows(data: Path, work: Path) -> Iterator[Row]:
    """Run each example as its operator would; audit it and look for the truth in its intervals."""
    for example in sorted(path for path in (ROOT / "examples").iterdir() if path.is_dir()):
        if not any(data.glob(f"{example.name}*")):
            yield Row(f"{example.name}: SKIPPED, no data in $SHAFAF_DATA", "-", "-", None)
            continue
        folder = work / example.name
        _copy(example, folder)
        _run(("-m", "etl", "--portal", str(folder), "run"))
        yield _audit_row(example.name, folder)
        honest = check_honesty(Instance(folder), work / "duck")
        yield Row(
            f"{example.name}: published intervals that hold the truth, of {honest.checked:,}",
            f"{100 * (1 - honest.false / honest.checked):g} %",
            "100 %",
            honest.false == 0,
        )
        if example.name == "br_lai":
            yield from _br_lai_rows(max((folder / "datasets").glob("portal-*.db")), honest)


def _audit_row(name: str, folder: Path) -> Row:
    report = audit(read_evidence(folder))
    claim = f"{name}: audit hits, {report.release_count} releases, {report.attempt_count:,} attempts"
    return Row(claim, str(report.hit_count), "0", report.hit_count == 0)


def _br_lai_rows(database: Path, honest: Honesty) -> Iterator[Row]:
    """Ask how much of the outcomes is told, and how narrowly."""
    kept = """select cadence_code, 100.0 * sum(case when outcome_code is null then 0 else case_count end) / sum(case_count)
              from case_group where cadence_code is not null group by cadence_code"""
    for cadence, share in _query(database, kept):
        yield Row(
            f"br_lai: cases that keep outcome, cadence {cadence}",
            f"{share:.1f} %",
            f">= {BR_LAI_KEPT_BAR:g} %",
            share >= BR_LAI_KEPT_BAR,
        )
    claim = "br_lai: body-years that show no outcome though they have some, statutory included"
    yield Row(claim, str(honest.silent), "0", honest.silent == 0)
    width = f"""select max(100.0 * (at_most - at_least) / total) from total_by_outcome_v1
                where total >= {BR_LAI_SMALLEST} and year_code || '-12' <= (select max(month_code) from release)
                group by body_id, year_code order by 1"""
    widths = [row[0] for row in _query(database, width)]
    middle = widths[len(widths) // 2]
    yield Row(
        f"br_lai: median width of the outcome interval, {len(widths)} body-years that are over, {BR_LAI_SMALLEST} cases or more",
        f"{middle:.1f} points",
        f"<= {BR_LAI_WIDTH_BAR:g} points",
        middle <= BR_LAI_WIDTH_BAR,
    )


def command_rows() -> Iterator[Row]:
    """Run the commands that measure the other bars; what they print goes to stderr."""
    for command in COMMANDS:
        code = _run(command.arguments, is_checked=False)
        said = "ok" if code == 0 else f"exit {code}"
        yield Row(f"{command.claim}: python {' '.join(command.arguments)}", said, command.bar, code == 0)


def print_rows(rows: Iterator[Row]) -> bool:
    """Print rows as they come; say whether every measured bar is reached."""
    is_reached = True
    for row in rows:
        mark = {True: "ok", False: "MISSED", None: ""}[row.is_reached]
        print(f"| {row.claim:88} | {row.figure:>11} | {row.bar:>12} | {mark:6} |", flush=True)
        is_reached &= row.is_reached is not False
    return is_reached


def _copy(source: Path, target: Path) -> None:
    for path in source.rglob("*"):
        inside = path.relative_to(source)
        if path.is_file() and inside.parts[0] not in ("datasets", "public", "var"):
            (target / inside).parent.mkdir(parents=True, exist_ok=True)
            (target / inside).write_bytes(path.read_bytes())


def _run(arguments: Sequence[str], *, is_checked: bool = True) -> int:
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, stdout=sys.stderr, check=False)
    if is_checked and done.returncode:
        raise SystemExit(f"{' '.join(arguments)}: exit code {done.returncode}")
    return done.returncode


def _query(database: Path, sql: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        return connection.execute(sql).fetchall()


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="without the examples and what other commands measure")
    parser.add_argument("logs", nargs="*", metavar="LOG", help="logs by name; default: all four")
    chosen = parser.parse_args()
    data = Path(os.environ.get("SHAFAF_DATA", ROOT.parent / "shared" / "data"))
    parts: list[Callable[[Path], Iterator[Row]]] = [
        lambda work: log_rows(data / "logs", chosen.logs or list(PRETSA_SECONDS), work)
    ]
    if not chosen.quick:
        parts += [lambda work: example_rows(data, work), lambda _: command_rows()]
    is_reached = True
    with tempfile.TemporaryDirectory() as made_in:
        for part in parts:
            is_reached &= print_rows(part(Path(made_in)))
    return 0 if is_reached else 1


if __name__ == "__main__":
    raise SystemExit(main())
