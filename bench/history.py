"""Seconds of one more month on a long history, beside those of the whole history: extract, release, build.

`python -m bench.history [--months N] [--cases N]`. The bar is on extraction and release; database and site are made
from all that was ever released and are printed apart. Each stage is a process of its own, as an operator starts it.
Figures hold for the machine and its load. Exit code 1 where the month takes a larger share of the whole than the bar allows.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from bench.run import STAGES
from bench.spent import Spent, make_portal, spend

MONTHS = 120
CASES = 300_000
COUNTED = ("extract", "release")
BAR = 0.03  # one more month, of what the whole history took


def run_stages(portal: Path) -> dict[str, Spent]:
    """Run the stages one after the other and say what each took."""
    return {stage: spend(f"  {stage}", "etl", "--portal", str(portal), stage) for stage in STAGES}


def bench(folder: Path, *, months: int, cases: int) -> None:
    """Make an office of so many months in `folder`, release them all, let a month pass, release that one."""
    office, portal = folder / "office", folder / "portal"
    spend("office", "etl", "demo", "office", str(office), "--cases", str(cases), "--months", str(months))
    make_portal(portal, office)
    print(f"{months} months, {cases:,} cases")
    whole = run_stages(portal)
    spend("advance", "etl", "--portal", str(portal), "demo", "advance")
    print("one more month")
    more = run_stages(portal)
    share = 0.0
    for names in (*((stage,) for stage in STAGES), COUNTED):  # the share that counts comes last
        spent = [sum(part[name].processor_seconds for name in names) for part in (whole, more)]
        share = spent[1] / spent[0]
        print(f"{' + '.join(names):18}{spent[0]:8.1f} s of processor, then {spent[1]:.1f}: {share:.1%}")
    if share > BAR:
        raise SystemExit(f"missed: the bar is {BAR:.0%} of extraction and release")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--months", type=int, default=MONTHS)
    parser.add_argument("--cases", type=int, default=CASES)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as made_in:
        bench(Path(made_in), months=chosen.months, cases=chosen.cases)
