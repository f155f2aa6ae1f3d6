"""Settings of an instance, the shipped dictionary of columns and the shipped codes."""

from etl.metadata.codes import CodeRow, code_rows, duration_bands, shipped_codes
from etl.metadata.dictionary import Column, Dictionary, TableSpec, load_dictionary
from etl.metadata.promises import Promises, check_promises, policy_changes, promises_of
from etl.metadata.reading import load_settings
from etl.metadata.settings import Policy, Settings

__all__ = [
    "CodeRow",
    "Column",
    "Dictionary",
    "Policy",
    "Promises",
    "Settings",
    "TableSpec",
    "check_promises",
    "code_rows",
    "duration_bands",
    "load_dictionary",
    "load_settings",
    "policy_changes",
    "promises_of",
    "shipped_codes",
]
