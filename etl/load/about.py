"""Table `meta`: what a page must know about the instance and cannot count (title, licence, clocks, next release).

Only settings and released facts; no clock, no path. Values are text; lists are JSON.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, timedelta

from sqlite_utils import Database

from etl.calendars import parse_period, period_of
from etl.instance import Instance
from etl.load.archive import Release
from etl.load.tables import insert_rows
from etl.metadata import Policy, load_dictionary


def fill_meta(database: Database, instance: Instance, releases: Sequence[Release]) -> None:
    """Fill `meta` from the settings and the loaded releases."""
    settings = instance.settings
    newest = releases[-1]
    k, basis, as_of_on, policy_sha256 = database.conn.execute(
        "select k, k_basis_code, as_of_on, policy_sha256 from release where release_id = ?", [newest.release_id]
    ).fetchone()
    values = {
        "title_fa": settings.title.get("fa", ""),
        "title_en": settings.title.get("en", ""),
        "license": settings.license,
        "source": settings.source.get("en", ""),
        "source_fa": settings.source.get("fa", ""),
        "contact": settings.contact,
        "k": k,
        "k_basis_code": basis,
        "as_of_on": as_of_on,
        "policy_sha256": policy_sha256,
        "schema_version": load_dictionary().schema_version,
        "first_release": releases[0].release_id,
        "newest_release": newest.release_id,
        "release_count": len(releases),
        **_next_release(settings.policy, newest.release_id),
        **_clock_values(settings.policy),
        **_policy_values(settings.policy),
    }
    spec = load_dictionary().tables["meta"]
    insert_rows(database, spec, sorted((key, str(value)) for key, value in values.items()))


def _next_release(policy: Policy, newest: str) -> dict[str, object]:
    system = policy.calendar.system
    following: date = parse_period(system, newest).last_on + timedelta(days=1)
    month = period_of(system, "month", following)
    return {
        "next_release": month.code,
        "next_release_on": month.last_on + timedelta(days=policy.cadence.settle_days),
    }


def _clock_values(policy: Policy) -> dict[str, object]:
    values: dict[str, object] = {
        "headline_clock": policy.clocks.headline,
        "headline_days": policy.clocks.lead.days,
        "headline_kind": policy.clocks.lead.kind,
        "headline_from": policy.clocks.lead.start,
        "wait_day_kind": "working" if policy.clocks.lead.kind == "working" else "calendar",
    }
    for name, clock in (("bylaw", policy.clocks.bylaw), ("law", policy.clocks.law)):
        if clock is not None:
            values |= {f"{name}_days": clock.days, f"{name}_kind": clock.kind, f"{name}_from": clock.start}
    return values


def _policy_values(policy: Policy) -> dict[str, object]:
    return {
        "calendar_code": policy.calendar.system,
        "zone": policy.calendar.zone,
        "weekend": json.dumps(policy.calendar.weekend),
        "cadence_month": policy.cadence.month,
        "cadence_season": policy.cadence.season,
        "settle_days": policy.cadence.settle_days,
        "bands_duration": json.dumps(policy.bands.duration),
        "bands_age": json.dumps(policy.bands.age),
        "join_small": json.dumps(dict(policy.margins.join_small), sort_keys=True),
        "sensitive_services": json.dumps(policy.sensitive.services),
        "statutory_case_types": json.dumps(policy.statutory.case_types),
        "rung_count": len(policy.ladder),
    }
