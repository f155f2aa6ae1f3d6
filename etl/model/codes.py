"""Closed vocabularies that stages and sources share (design notes: DOMAIN §4, Open311, Froide, FOI reporting).

Codes are ASCII snake_case; their labels (fa, en) are data in `etl/metadata/codes.yml`. A value that a source lacks is
NOT_RECORDED; NULL in published data means only "not shown at this detail".
"""

from __future__ import annotations

NOT_RECORDED = "not_recorded"
EARLIER = "earlier"  # the period of late cases of several years together, which no identity of a year counts
GAP = "gap"  # the activity of a published pattern where other steps may lie

CASE_TYPES = ("foi", "service", "complaint", "appeal", "inquiry", "correspondence", "other")
CHANNELS = ("web", "mobile", "desk", "post", "phone", "email", "ece", "portal", "internal", NOT_RECORDED)
APPLICANT_KINDS = ("natural", "legal", "body", "unknown")
STATUSES = ("registered", "in_progress", "awaiting_applicant", "decided", "closed", "reopened")
OUTCOMES = (
    "granted_full",
    "granted_partial",
    "refused_exempt",
    "rejected_unclear",
    "not_held",
    "referred_elsewhere",
    "already_public",
    "withdrawn",
    "duplicate",
    "completed",
    "not_eligible",
    "incomplete_documents",
    "other",
    NOT_RECORDED,
)
MILESTONES = (
    "received",
    "registered",
    "assigned",
    "in_review",
    "awaiting_applicant",
    "decided",
    "issued",
    "notified",
    "closed",
)
TIME_SOURCES = ("system", "letter", "entered")
POPULATIONS = ("registered", "finished", "reopened", "withdrawn")
