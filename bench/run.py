"""Seconds and memory of runs on a demo office, beside those of the peer; their groups must be equal.

`python -m bench.run [--cases N] [--alone]`. A case of the demo has about eight events. Each run is a process of its own,
as an operator starts it; memory is the peak of the whole process. The whole run and its stages one by one are two
instances that read the same office. Figures hold for the machine and its load.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from bench.peer_groups import our_rows, peer_rows
from bench.spent import PEER, Spent, make_portal, spend

CASES = 120_000
STAGES = ("extract", "release", "build")


def compare(folder: Path, whole: Spent, shared: Spent) -> None:
    """Run the peer on the same office, check that its groups are ours, and print the ratios.

    whole: our whole run. shared: what the peer does as well, reading and grouping; it builds no database of all tables,
    no views and no site.
    """
    path = folder / "peer.db"
    peer = spend("peer (pandas)", "bench.peer_pandas", str(folder), str(path), packages=PEER)
    theirs, made = peer_rows(path), our_rows(folder)
    if theirs != made:
        raise SystemExit(f"groups differ: {len(theirs - made)} only of the peer, {len(made - theirs)} only ours")
    print(f"equal groups    {made.total():,}")
    for name, ours in (("the whole run", whole), ("extract + release", shared)):
        print(
            f"peer : {name}  {peer.seconds / ours.seconds:.1f} in seconds,"
            f" {peer.processor_seconds / ours.processor_seconds:.1f} in seconds of processor,"
            f" {peer.peak_bytes / ours.peak_bytes:.1f} in memory"
        )


def bench(folder: Path, cases: int, *, alone: bool) -> None:
    """Make an office in `folder`, run it whole and stage by stage, compare with the peer, then run it twice more."""
    office, portal, staged = folder / "office", folder / "whole", folder / "stages"
    spend("office", "etl", "demo", "office", str(office), "--cases", str(cases))
    for each in (portal, staged):
        make_portal(each, office)
    whole = spend("whole run", "etl", "--portal", str(portal), "run")
    [manifest] = (portal / "var" / "staging" / "batches").iterdir()
    events = json.loads(manifest.read_text())["event_count"]
    print(f"events          {events:,}, {events / whole.seconds:,.0f} a second")
    extract, release, _ = (spend(f"  {stage}", "etl", "--portal", str(staged), stage) for stage in STAGES)
    if not alone:
        compare(portal, whole, extract + release)
    spend("nothing new", "etl", "--portal", str(portal), "run")
    spend("advance", "etl", "--portal", str(portal), "demo", "advance")
    spend("a month later", "etl", "--portal", str(portal), "run")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--alone", action="store_true", help="without the peer")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as made_in:
        bench(Path(made_in), chosen.cases, alone=chosen.alone)
