"""The shape of staging: private Parquet batches between extraction and anonymisation (DESIGN §3, CONTRACT "Staging").

One row per case and batch in CASE (key: case_key, batch_id), one row per event in EVENT (key: case_key, batch_id, seq),
one per cited exemption in CASE_EXEMPTION. Instants are UTC microseconds; every `_on` is a civil date of the source's
zone made in Python at extraction. No identity stands here: keys are keyed hashes made while reading.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from ibis.expr.types import Table

STAGING_VERSION = 1

_INSTANT = pa.timestamp("us", tz="UTC")

CASE = pa.schema(
    [
        ("case_key", pa.string()),  # hex of a keyed BLAKE2b of the source's id
        ("batch_id", pa.int32()),
        ("content_hash", pa.string()),  # of every column below first_seen_batch and of the case's events
        ("is_deleted", pa.bool_()),
        ("first_seen_batch", pa.int32()),
        ("case_type_code", pa.string()),
        ("body_id", pa.string()),
        ("unit_id", pa.string()),  # the unit that decided, else the last that held the case
        ("service_id", pa.string()),
        ("channel_code", pa.string()),
        ("applicant_kind_code", pa.string()),
        ("applicant_province_code", pa.string()),
        ("track_code", pa.string()),
        ("requester_key", pa.string()),
        ("received_at", _INSTANT),
        ("registered_on", pa.date32()),
        ("promised_on", pa.date32()),
        ("due_bylaw_on", pa.date32()),
        ("due_law_on", pa.date32()),
        ("decided_on", pa.date32()),
        ("closed_on", pa.date32()),
        ("finished_on", pa.date32()),  # first final decision, else closing; NULL while open
        ("status_code", pa.string()),
        ("outcome_code", pa.string()),  # NULL while open
        ("lateness_bylaw_code", pa.string()),  # NULL while open; so the next
        ("lateness_law_code", pa.string()),
        ("wait_days", pa.int32()),  # registered to finished, days of the headline clock's kind
        ("complaint_ground_code", pa.string()),
        ("reason_code", pa.string()),
        ("letter_direction_code", pa.string()),
        ("score", pa.int8()),
        ("parent_case_key", pa.string()),
        # derived from the full timeline before anything is dropped
        ("referral_band_code", pa.string()),
        ("unit_band_code", pa.string()),
        ("is_loop", pa.bool_()),  # a unit holds the case again after another unit had it
        ("first_action_days", pa.int32()),
        ("paused_days", pa.int32()),
        # the join of desk and automation (indicators I1-I4)
        ("is_desk", pa.bool_()),  # the case has a part in a source that carries desk requests
        ("is_linked", pa.bool_()),  # ... and was followed into the automation
        ("registration_days", pa.int32()),  # days from receipt to registration
        ("is_notified_each", pa.bool_()),  # notified at every milestone it passed
    ]
)

EVENT = pa.schema(
    [
        ("case_key", pa.string()),
        ("batch_id", pa.int32()),
        ("seq", pa.int32()),  # from 1, the order of the timeline; ties in time keep the source's order
        ("activity_code", pa.string()),
        ("milestone_code", pa.string()),  # NULL: the activity is no milestone
        ("occurred_at", _INSTANT),  # NULL where the source has no usable time
        ("occurred_on", pa.date32()),
        ("time_precision_code", pa.string()),
        ("time_source_code", pa.string()),
        ("from_unit_id", pa.string()),
        ("to_unit_id", pa.string()),  # the unit that has the case after this event
        ("is_derived", pa.bool_()),
    ]
)

CASE_EXEMPTION = pa.schema([("case_key", pa.string()), ("batch_id", pa.int32()), ("exemption_code", pa.string())])


@dataclass(frozen=True)
class Staging:
    """The current view of staging as lazy relations: the newest live version of each case and exactly its events.

    Raw data: only `etl.anonymise` may turn it into something that leaves the building.
    """

    case: Table
    event: Table
    case_exemption: Table
