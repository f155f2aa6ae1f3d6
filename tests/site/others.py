"""Rows of the other published tables for the made database: cohorts, open cases at the year's end, time in units.

Body `mosharekat` has them, `archive` has none. The counts follow a rule, not chance, so that a reader can count again.
"""

from __future__ import annotations

from collections.abc import Callable

from etl.calendars import Period

Add = Callable[..., int]
COHORT = (  # service, its level, state, cases in every month; a month adds its number to the first
    ("shop", "leaf", "on_time", 40),
    ("shop", "leaf", "late", 12),
    ("build", "leaf", "on_time", 25),
    ("build", "leaf", "open_late", 11),
    ("permits", "family", "on_time", 10),
    ("permits", "family", None, 13),
    (None, None, "late", 10),
    (None, None, None, 3),
)
OPEN = (  # stage, age band, cases
    ("registered", "00_10", 31),
    ("in_review", "00_10", 17),
    ("in_review", "11_20", 12),
    ("in_review", None, 10),
    (None, "61_up", 14),
    (None, None, 4),
)
AGES = ("00_10", "11_20", "61_up")
STAGES = ("registered", "in_review")
DURATIONS = (
    (None, None, 4321, 6, 17),
    ("permits", "family", 3210, 7, None),
    ("shop", "leaf", 2109, 0, 31),
    ("build", "leaf", 55, None, None),
)
UNIT_TIMES = (("legal", 9, "20"), ("secretariat", 0, "200"))
UNTIMED_UNIT = "registry"  # with k below 9 a unit may have a band and no median


def add_other_codes(add: Add) -> None:
    """Add the age bands and the stages."""
    for list_code, codes in (("age_band", AGES), ("stage", STAGES)):
        for position, code in enumerate((*codes, "not_recorded")):
            add("code", list_code=list_code, code=code, position=position, title_fa=f"«{code}»", title_en=f"is {code}")


def add_cohort(add: Add, period: Period, *, release_id: str) -> None:
    """Add the cohort of a month, released a month later, for both kinds of cases."""
    for case_type in ("foi", "service"):
        for row, (service, level, state, count) in enumerate(COHORT):
            add(
                "cohort_group",
                release_id=release_id,
                body_id="mosharekat",
                case_type_code=case_type,
                period_code=period.code,
                cadence_code="month",
                period_first_on=period.first_on.isoformat(),
                period_last_on=period.last_on.isoformat(),
                rung_number=row + 1,
                is_floor=int(service is None and state is None),
                service_id=service,
                service_level=level,
                cohort_state_code=state,
                case_count=count + (int(period.code[-2:]) if row == 0 else 0),
            )


def add_open_cases(add: Add, *, release_id: str) -> None:
    """Add what was open at the end of a year; of information requests only a floor row of four cases."""
    for case_type, rows in (("service", OPEN), ("foi", OPEN[-1:])):
        for stage, age, count in rows:
            add(
                "open_group",
                release_id=release_id,
                body_id="mosharekat",
                case_type_code=case_type,
                period_code=release_id[:4],
                rung_number=1,
                is_floor=int(stage is None and age is None),
                stage_code=stage,
                age_band_code=age,
                case_count=count,
            )


def add_unit_times(add: Add, *, release_id: str) -> None:
    """Add a median for each unit."""
    for unit, days, band in (*UNIT_TIMES, (UNTIMED_UNIT, None, "5")):
        add(
            "unit_time",
            release_id=release_id,
            year_code=release_id[:4],
            body_id="mosharekat",
            unit_id=unit,
            timed_band_code=band,
            stay_median_days=days,
            basis_code="attested",
        )


def add_durations(add: Add, *, release_id: str) -> None:
    """Add the waits of a year: of all, of a family, of a service in it; of one service only by when half had ended."""
    kinds = [("service", *row) for row in DURATIONS] + [("foi", *DURATIONS[0])]
    for case_type, service, level, count, half, most in kinds:
        add(
            "duration",
            release_id=release_id,
            year_code=release_id[:4],
            body_id="mosharekat",
            case_type_code=case_type,
            service_id=service,
            service_level=level,
            scope_count=count,
            timed_band_code="200",
            wait_median_days=half,
            wait_p90_days=most,
            basis_code="attested",
        )
