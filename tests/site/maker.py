"""A small released database made by hand from the dictionary: two bodies, sixteen months, three services."""

from __future__ import annotations

import json
import random
import sqlite3
from datetime import timedelta
from pathlib import Path

from etl.calendars import Period, months_between, parse_period
from etl.calendars.working_days import WorkingCalendar
from etl.load import view_sources
from etl.metadata import duration_bands, load_dictionary, shipped_codes
from tests.site.others import add_cohort, add_durations, add_open_cases, add_other_codes, add_unit_times

BANDS = (0, 2, 5, 10, 15, 20, 40, 60)
LEVELS = ("service_level", "unit_level", "trace_level")
MONTHS = 16
SILENT = ("1405-02", "1405-03")
META = {
    "title_fa": "سامانهٔ آزمایشی",
    "title_en": "Test portal",
    "license": "CC-BY-4.0",
    "source": "synthetic",
    "k": "10",
    "calendar_code": "jalali",
    "settle_days": "15",
    "wait_day_kind": "working",
    "headline_clock": "bylaw",
    "bylaw_days": "10",
    "bylaw_kind": "working",
    "bylaw_from": "registered",
    "law_days": "10",
    "law_kind": "calendar",
    "law_from": "received",
}
POLICY = "0" * 64
STATUTORY = (
    ("outcome", "granted_full", 700),
    ("outcome", "refused_exempt", 31),
    ("exemption", "ir_13", 20),
    ("exemption", "ir_14", 14),
    ("lateness_bylaw", "late", 41),
    ("lateness_bylaw", "on_time", 690),
    ("lateness_law", "late", 53),
    ("lateness_law", "on_time", 678),
)
_UNITS = ("legal", "secretariat")
_STEPS = ("registered", "assigned", "in_review", "decided", "issued")


class ReleasedMaker:
    """Writes a released database row by row; every table has exactly the dictionary's columns."""

    def __init__(self, datasets: Path, *, meta: dict[str, str]) -> None:
        """Create the tables."""
        datasets.mkdir(parents=True)
        self.datasets = datasets
        self.system = meta["calendar_code"]
        self.random = random.Random(7)
        self.connection = sqlite3.connect(datasets / "portal-1405-06.db")
        self.ids: dict[str, int] = {}
        for spec in load_dictionary().tables.values():
            columns = ", ".join(f'"{name}"' + (" primary key" if name == spec.key else "") for name in spec.names)
            self.connection.execute(f'create table "{spec.name}" ({columns})')
        for key, value in meta.items():
            self.add("meta", key=key, value=value)

    def add(self, table: str, **values: object) -> int:
        """Add a row; a missing integer key is the next number."""
        spec = load_dictionary().tables[table]
        self.ids[table] = self.ids.get(table, 0) + 1
        values.setdefault(spec.key, self.ids[table])
        row = [values.pop(name, None) for name in spec.names]
        assert not values, f"no such column in {table}: {sorted(values)}"
        self.connection.execute(f'insert into "{table}" values ({", ".join("?" * len(row))})', row)
        return self.ids[table]

    def codes(self) -> None:
        """Add the shipped codes and the duration bands."""
        for list_code, codes in shipped_codes().items():
            for position, (code, (fa, en, parent)) in enumerate(codes.items()):
                self.add(
                    "code",
                    list_code=list_code,
                    code=code,
                    parent_code=parent,
                    position=position,
                    title_fa=fa,
                    title_en=en,
                )
        for position, (code, (fa, en)) in enumerate(duration_bands(BANDS).items()):
            self.add("code", list_code="duration_band", code=code, position=position, title_fa=fa, title_en=en)

    def ladder(self) -> None:
        """Add two rungs: everything that the made groups show, and the service's family."""
        fine = {"service": "leaf", "unit": "leaf", "outcome": "code", "trace": "milestones"}
        for number, levels in enumerate((fine, {"service": "family"}), 1):
            named = {f"{column}_level": level for column, level in levels.items()}
            self.add("rung", policy_sha256=POLICY, rung_number=number, **named)

    def month(self, number: int, period: Period, *, bodies: list[str], services: list[str]) -> None:
        """Add a release with margins and groups of each body."""
        self.add(
            "release",
            release_id=period.code,
            release_number=number,
            calendar_code=self.system,
            month_code=period.code,
            as_of_on=(period.last_on + timedelta(days=16)).isoformat(),
            k=10,
            k_basis_code="cases",
            policy_sha256=POLICY,
            schema_version=1,
        )
        for body in bodies:
            for case_type in ("foi", "service"):
                is_silent = body == "archive" and period.code in SILENT
                finished = 0 if is_silent else self._groups(period, body, case_type, services)
                self.add(
                    "margin",
                    release_id=period.code,
                    month_code=period.code,
                    body_id=body,
                    case_type_code=case_type,
                    registered_count=0 if is_silent else finished + self.random.randrange(-5, 9),
                    finished_count=finished,
                    open_count=60 + self.random.randrange(20),
                    open_overdue_count=8 + self.random.randrange(8),
                    reopened_count=0,
                    late_registered_count=0,
                    late_finished_count=0,
                    withdrawn_count=0,
                    awaiting_count=7,
                )

    def _groups(self, period: Period, body: str, case_type: str, services: list[str]) -> int:
        bands = list(duration_bands(BANDS))
        whole = 0
        for service in [*services, None]:
            for band in (*bands[:5], None):
                count = self.random.randrange(10, 24)
                lateness = None if service is None else ("on_time" if band is None or band < "11" else "late")
                outcome = (
                    None if service is None else self.random.choice(("granted_full", "granted_full", "refused_exempt"))
                )
                with_steps = band is not None and service is not None and self.random.random() < 0.5
                level = self.random.choice(("milestones", "steps_units"))
                group = self.add(
                    "case_group",
                    release_id=period.code,
                    body_id=body,
                    case_type_code=case_type,
                    period_code=period.code,
                    cadence_code="month",
                    period_first_on=period.first_on.isoformat(),
                    period_last_on=period.last_on.isoformat(),
                    rung_number=1,
                    is_floor=0,
                    service_id=service,
                    service_level="leaf" if service else None,
                    outcome_code=outcome,
                    lateness_code=lateness,
                    duration_band_code=band if service else None,
                    trace_id=1 if with_steps else None,
                    trace_level=level if with_steps else None,
                    case_count=count,
                    timed_band_code="10",
                    wait_median_days=4,
                )
                whole += count
                if with_steps:
                    self._steps(group, has_units=level == "steps_units")
        return whole

    def _steps(self, group: int, *, has_units: bool) -> None:
        start = 0
        for number, activity in enumerate(_STEPS, 1):
            since = 0 if number == 1 else self.random.randrange(0, 5)
            start += since
            self.add(
                "case_group_step",
                case_group_id=group,
                step_number=number,
                activity_code=activity,
                unit_id=_UNITS[number % 2] if has_units else None,
                is_gap=0,
                timed_band_code="10",
                since_start_median_days=start,
                since_previous_median_days=None if number == 1 else since,
            )

    def close(self, release_id: str) -> None:
        """Commit and name the database in current.json."""
        for text in view_sources().values():
            self.connection.execute(text)
        self.connection.commit()
        self.connection.close()
        current = {"release_id": release_id, "database": "portal-1405-06.db", "as_of_on": "2026-10-08"}
        (self.datasets / "current.json").write_text(json.dumps(current), encoding="utf-8")


def make_released(datasets: Path, *, meta: dict[str, str] = META) -> None:
    """Make the released database of the tests: two bodies, sixteen months, three services, one of them never shown."""
    maker = ReleasedMaker(datasets, meta=meta)
    maker.codes()
    maker.ladder()
    maker.add("body", body_id="mosharekat", title_fa="سازمان مشارکت", title_en="Participation Organisation")
    maker.add(
        "body",
        body_id="archive",
        title_source="Arquivo & Memória",
        title_fa="Arquivo & Memória",
        title_en="Arquivo & Memória",
        lang="pt",
    )
    maker.add("service", service_id="permits", is_sensitive=0, title_fa="پروانه‌ها", title_en="Permits")
    for service, fa, en in (("shop", "پروانهٔ کسب", "Shop permit"), ("build", "پروانهٔ ساختمان", "Building permit")):
        maker.add("service", service_id=service, parent_id="permits", is_sensitive=0, title_fa=fa, title_en=en)
    maker.add(
        "service",
        service_id="rare",
        parent_id="permits",
        is_sensitive=0,
        title_fa="پروانهٔ کمیاب",
        title_en="Rare permit",
    )
    for unit, fa, en in (
        ("legal", "دفتر حقوقی", "Legal office"),
        ("secretariat", "دبیرخانه", "Secretariat"),
        ("registry", "بایگانی", "Registry"),
    ):
        maker.add("unit", unit_id=unit, body_id="mosharekat", title_fa=fa, title_en=en)
    system = meta["calendar_code"]
    last = parse_period(system, "1405-06" if system == "jalali" else "2015-06")
    first = last.first_on - timedelta(days=30 * (MONTHS - 1))
    months = months_between(system, first, last.last_on)[-MONTHS:]
    add_other_codes(maker.add)
    for number, period in enumerate(months, 1):
        maker.month(number, period, bodies=["mosharekat", "archive"], services=["shop", "build"])
        if number > 1:
            add_cohort(maker.add, months[number - 2], release_id=period.code)
        if period.code.endswith("-12"):
            add_open_cases(maker.add, release_id=period.code)
            add_unit_times(maker.add, release_id=period.code)
            add_durations(maker.add, release_id=period.code)
    days = WorkingCalendar(system, ("thursday", "friday"), "").days(
        months[0].first_on, last.last_on + timedelta(days=92)
    )
    for row in days.to_pylist():
        maker.add("calendar_day", **(row | {"day_on": row["day_on"].isoformat(), "is_working": int(row["is_working"])}))
    for name in ("case_group.csv.gz", "manifest.json"):
        maker.add("file", release_id=months[-1].code, name=name, byte_count=12345, sha256="0" * 64)
    for measure, low in (("followed", 90), ("promised", 40), ("notified_each", 0), ("inferred_steps", 0)):
        high = low + 5 if low else 100
        for body in ("mosharekat", "archive"):
            row = {"release_id": months[-1].code, "year_code": "1404", "measure_code": measure, "unit_code": "percent"}
            maker.add("quality", body_id=body, at_least=low, at_most=high, **row)
    for measure, reason, low, high in (("quarantined", None, 100, 999), ("broken_cells", "unknown_code", 1, 9)):
        row = {"release_id": months[-1].code, "year_code": "1405", "measure_code": measure, "unit_code": "case"}
        maker.add("quality", reason_code=reason, at_least=low, at_most=high, **row)
    for dimension, value, count in STATUTORY:
        maker.add(
            "statutory",
            release_id=months[-1].code,
            year_code="1404",
            body_id="mosharekat",
            case_type_code="foi",
            dimension_code=dimension,
            value_code=value,
            case_count=count,
            basis_code="exact",
        )
    maker.close(months[-1].code)
