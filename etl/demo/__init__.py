"""The synthetic service desk and office automation."""

from etl.demo.office import OfficeSummary, advance_office, make_office, read_summary, settle_office

__all__ = ["OfficeSummary", "advance_office", "make_office", "read_summary", "settle_office"]
