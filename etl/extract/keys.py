"""Keyed hashes that stand for identities, made while reading (DESIGN §3, "Identity is hashed in passing").

BLAKE2b keyed by the body's secret, with a `person` of its own for cases, requesters and links (RFC 7693 §2.5), so that
keys of different kinds can never be joined. The plain id never leaves the function that hashes it.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

BYTES = 16
_SEPARATOR = "\x1f"


class Hasher:
    """Hashes the ids of one source under the body's secret; a key is BYTES long, as bytes or as their hexadecimal text."""

    def __init__(self, secret: bytes, source: str) -> None:
        """Keep the secret as a 64-byte key and the name of the source, which tells equal ids of two sources apart."""
        key = blake2b(secret, digest_size=64).digest()
        self._case, self._requester, self._link = (
            blake2b(key=key, digest_size=BYTES, person=person) for person in (b"case", b"requester", b"link")
        )
        self._case.update(f"2{_SEPARATOR}{source}{_SEPARATOR}".encode())

    def case_key(self, value: str) -> bytes:
        """Hash the source's own id of a case."""
        hashed = self._case.copy()
        hashed.update(value.encode())
        return hashed.digest()

    def requester_key(self, value: str, year: int) -> str:
        """Hash the id of a person for one calendar year: the same person has another key next year."""
        hashed = self._requester.copy()
        hashed.update(_SEPARATOR.join(("2", str(year), value)).encode())
        return hashed.hexdigest()

    def link_key(self, parts: Iterable[str]) -> str:
        """Hash a reference that two systems share; equal in both, so the source's name is left out."""
        texts = tuple(parts)
        hashed = self._link.copy()
        hashed.update(_SEPARATOR.join((str(len(texts)), *texts)).encode())
        return hashed.hexdigest()
