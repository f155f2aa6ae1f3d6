"""What a release was made from, as a salted hash anybody can hold and the body's auditor can open (DESIGN §4 "Attested").

`datasets/attested/<release_id>.json` is public: SHA-256 over 32 random bytes and the list of staging batches, the months of
the run and its `as_of`. `var/attested/<release_id>.json` is private: the salt and the list. Both are on disk before the
release is; the hash stands beside the release and not in it, because released bytes do not depend on the body's secret
and this hash does (staged keys are made with it). The ledger's leaf will name it. Who has the salt can run the release
again (`etl.pipeline.attest`) and must get every number.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path

from etl.errors import TamperedError, UncheckedError
from etl.instance import Instance
from etl.instance.durable import json_bytes, make_folder_durable, replace_durable
from etl.metadata import load_dictionary

FOLDER = "attested"
SALT_BYTES = 32


@dataclass(frozen=True)
class Origin:
    """What a run was made from.

    batches: (name of a batch's manifest, SHA-256 of it) in order; manifests hold the hashes of their files.
    due: the months it released; closed: all that were due then. as_of: civil date (ISO) of the newest snapshot.
    """

    batches: tuple[tuple[str, str], ...]
    due: tuple[str, ...]
    closed: tuple[str, ...]
    as_of: str


def commitment(salt: bytes, origin: Origin) -> str:
    """Hash an origin with its salt: SHA-256 of the salt and canonical JSON (sorted keys, no spaces), in hexadecimal."""
    text = json.dumps(asdict(origin), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(salt + text.encode()).hexdigest()


def write_attestation(instance: Instance, release_id: str, origin: Origin) -> None:
    """Put the private record (0600) and then the public hash of a release durably in place, under a fresh salt."""
    salt = secrets.token_bytes(SALT_BYTES)
    folder = instance.private_folder(FOLDER)
    replace_durable(folder / f"{release_id}.json", json_bytes({"salt": salt.hex(), **asdict(origin)}), mode=0o600)
    public = {
        "schema_version": load_dictionary().schema_version,
        "release_id": release_id,
        "origin_sha256": commitment(salt, origin),
    }
    replace_durable(make_folder_durable(instance.datasets / FOLDER) / f"{release_id}.json", json_bytes(public))


def read_origin(instance: Instance, release_id: str) -> Origin:
    """Read what a release was made from, and compare it with the public hash.

    Errors: UncheckedError where record or hash are not there; TamperedError where one does not fit the other.
    """
    try:
        raw = json.loads((instance.var / FOLDER / f"{release_id}.json").read_text(encoding="utf-8"))
        batches = tuple((str(name), str(sha256)) for name, sha256 in raw["batches"])
        origin = Origin(batches, tuple(raw["due"]), tuple(raw["closed"]), raw["as_of"])
        salt = bytes.fromhex(raw["salt"])
        public = json.loads((instance.datasets / FOLDER / f"{release_id}.json").read_text(encoding="utf-8"))
        said = public["origin_sha256"]
    except (OSError, json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError):
        raise UncheckedError(
            "attest-unrecorded",
            found=f"no record of what {release_id} was made from, or no public hash of it",
            expected=f"{release_id}.json in var/attested and in datasets/attested",
            todo="Restore both from the backup. Releases of a program that wrote none cannot be attested.",
        ) from None
    if commitment(salt, origin) != said:
        raise TamperedError(
            "attest-hash",
            found=f"a record of what {release_id} was made from that does not fit its public hash",
            expected="the record that was written with the release",
            todo="One of the two was changed. Compare both with the backup, and with a copy that a reader kept.",
        )
    return origin


def clear_attestations(instance: Instance, released: Collection[str]) -> list[str]:
    """Remove what a run that died left: records and hashes of months that were never released, half files."""
    done = []
    for folder in (instance.var / FOLDER, instance.datasets / FOLDER):
        for path in sorted((*folder.glob("*.json"), *folder.glob(".*.tmp"))):
            if path.suffix == ".tmp" or path.stem not in released:
                path.unlink()
                done.append(path)
    return _said(done)


def _said(paths: Collection[Path]) -> list[str]:
    months = sorted({path.name.strip(".").split(".")[0] for path in paths})
    return [f"removed the staging hash of {month}, which was never released" for month in months]
