"""Keyed hashes that stand for identities, made while reading (DESIGN §3, "Identity is hashed in passing").

BLAKE2b keyed by the body's secret, with a `person` of its own for cases, requesters and links (RFC 7693 §2.5), so that
keys of different kinds can never be joined. The plain id never leaves the function that hashes it.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

_BYTES = 16
_SEPARATOR = "\x1f"


class Hasher:
    """Hashes the ids of one source under the body's secret."""

    def __init__(self, secret: bytes, source: str) -> None:
        """Keep the secret as a 64-byte key and the name of the source, which tells equal ids of two sources apart."""
        self._key = blake2b(secret, digest_size=64).digest()
        self._source = source

    def case_key(self, value: str) -> str:
        """Hash the source's own id of a case."""
        return self._hash(b"case", (self._source, value))

    def requester_key(self, value: str, year: int) -> str:
        """Hash the id of a person for one calendar year: the same person has another key next year."""
        return self._hash(b"requester", (str(year), value))

    def link_key(self, parts: Iterable[str]) -> str:
        """Hash a reference that two systems share; equal in both, so the source's name is left out."""
        return self._hash(b"link", tuple(parts))

    def _hash(self, person: bytes, parts: tuple[str, ...]) -> str:
        text = _SEPARATOR.join((str(len(parts)), *parts)).encode()
        return blake2b(text, key=self._key, digest_size=_BYTES, person=person).hexdigest()
