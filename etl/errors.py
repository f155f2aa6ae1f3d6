"""Every error a person may see, in one tree.

    PortalError            exit 1, internal
    ├── UsageError         exit 2
    ├── TamperedError      exit 10: what is kept or published is not what was written then
    ├── UncheckedError     exit 12: what is published is not there or cannot be read, so nothing can be said about it
    ├── PrivacyError       exit 20: a law or gate of the release failed; nothing leaves the building
    ├── SourceError        exit 21: a source is unreachable, drifted, or breaks its mapping too often
    ├── SettingsError      exit 22: metadata.yml, source.toml or a state made by another version
    ├── ReleaseError       exit 23: a release could not be written whole (disk, half a release)
    └── LockedError        exit 75: another run holds the lock

A message has three parts: what was found, what was expected, what to do next. It never holds a personal value:
name the place (file, row number, column), not the content. `slug` is the anchor in docs/reference/errors.md.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from functools import partial


class PortalError(Exception):
    """An error in three parts; the base of all errors that Shafaf raises on purpose."""

    exit_code = 1

    def __init__(self, slug: str, *, found: str, expected: str, todo: str) -> None:
        """Keep the three parts; `slug` is the documented name of the error."""
        super().__init__(f"{found}; expected {expected}. {todo}")
        self.slug = slug
        self.found = found
        self.expected = expected
        self.todo = todo

    def __reduce__(self) -> tuple[partial[PortalError], tuple[()]]:
        """Let an error of a process that reads a source come across whole."""
        return partial(type(self), self.slug, found=self.found, expected=self.expected, todo=self.todo), ()


class UsageError(PortalError):
    """The command line asks for something that cannot be done."""

    exit_code = 2


class TamperedError(PortalError):
    """Something was changed that must not change: bytes differ from what their hash says."""

    exit_code = 10


class UncheckedError(PortalError):
    """What should be checked is missing or unreadable: the answer is neither yes nor no."""

    exit_code = 12


class PrivacyError(PortalError):
    """A law or a gate failed: the release does not leave the body."""

    exit_code = 20


class SourceError(PortalError):
    """A source cannot be read, has drifted, or breaks its mapping too often."""

    exit_code = 21


class SettingsError(PortalError):
    """Settings are wrong, or a state was made by another schema version."""

    exit_code = 22


class ReleaseError(PortalError):
    """A release could not be written whole."""

    exit_code = 23


class LockedError(PortalError):
    """Another run holds the instance's lock."""

    exit_code = 75


def nearest(word: str, known: Iterable[str]) -> str:
    """Give the known word that looks most like a wrong one, for the third part of a message; `known` must not be empty.

    >>> nearest("cadens", ["cadence", "clocks"])
    'cadence'
    """
    return difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.0)[0]
