"""The groups of the peer and those of a portal as rows to compare; what both sides call their columns."""

from __future__ import annotations

import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

FLOOR = ["body_id", "case_type_code", "period_code"]
PUBLISHED = {
    "service": "service_id",
    "unit": "unit_id",
    "outcome": "outcome_code",
    "lateness": "lateness_code",
    "duration": "duration_band_code",
    "loop": "is_loop",
    "channel": "channel_code",
    "trace": "trace",
}


def trace_text(trace: tuple[Any, ...]) -> str:
    """Write the steps of a trace, with their units where it shows them, as one text."""
    return " > ".join("/".join(step) if isinstance(step, tuple) else step for step in trace)


def peer_rows(path: Path) -> Counter[tuple[Any, ...]]:
    """Read the peer's groups as rows to compare."""
    names = ", ".join([*FLOOR, "rung_number", *PUBLISHED.values(), "case_count"])
    with sqlite3.connect(path) as con:
        return Counter(con.execute(f"select {names} from case_group").fetchall())


def our_rows(folder: Path) -> Counter[tuple[Any, ...]]:
    """Read the groups of the portal's newest database as rows to compare."""
    path = max((folder / "datasets").glob("portal-*.db"))
    shown = ", ".join(name for name in PUBLISHED.values() if name != "trace")
    query = f"select {', '.join(FLOOR)}, rung_number, {shown}, trace_id, trace_level, case_count from case_group"
    with sqlite3.connect(path) as con:
        steps: dict[int, list[tuple[str, str]]] = {}
        for trace, activity, unit in con.execute(
            "select trace_id, activity_code, unit_id from trace_step order by trace_id, step_number"
        ):
            steps.setdefault(trace, []).append((activity, unit))
        rows: Counter[tuple[Any, ...]] = Counter()
        for *values, trace, level, count in con.execute(query):
            shown_steps = tuple(step if level == "steps_units" else step[0] for step in steps.get(trace, ()))
            rows[(*values, trace_text(shown_steps) if trace is not None else None, count)] += 1
    return rows
