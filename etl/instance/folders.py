"""The folders of an instance, its settings, its secret and its lock (CONTRACT "Instance").

metadata.yml, sources/NAME/   what the operator writes
datasets/                     public: releases/<release_id>/, portal-<release_id>.db, current.json
public/                       public: the built site, <release_id>/ and current.json
var/                          private, 0700: staging/, placement/, tmp/, log/, secret, lock
office/                       the demo's two databases
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from filelock import FileLock, Timeout

from etl.errors import LockedError, SettingsError
from etl.instance.durable import make_folder_durable, replace_durable
from etl.metadata import Settings, load_settings


@dataclass(frozen=True)
class Instance:
    """An instance of Shafaf: a folder. Properties give its parts; only `private_folder` and `secret` create."""

    root: Path

    @cached_property
    def settings(self) -> Settings:
        """The settings in `metadata.yml`; SettingsError where they are wrong."""
        return load_settings(self.root)

    @property
    def sources(self) -> Path:
        """Mappings, one folder a source."""
        return self.root / "sources"

    @property
    def releases(self) -> Path:
        """Released folders, one a month."""
        return self.root / "datasets" / "releases"

    @property
    def datasets(self) -> Path:
        """Everything public that is data."""
        return self.root / "datasets"

    @property
    def public(self) -> Path:
        """The built site."""
        return self.root / "public"

    @property
    def var(self) -> Path:
        """The private folder (0700)."""
        return self.root / "var"

    @property
    def staging(self) -> Path:
        """Staging batches and their manifests."""
        return self.var / "staging"

    @property
    def placement(self) -> Path:
        """Which case was released in which group, one Parquet a release."""
        return self.var / "placement"

    @property
    def office(self) -> Path:
        """The demo's databases."""
        return self.root / "office"

    def private_folder(self, name: str) -> Path:
        """Make (0700) and give a folder under var/."""
        return make_folder_durable(self.var / name, mode=0o700)

    def clear_temporary(self) -> None:
        """Remove what runs that died left in var/tmp; only for who holds the lock."""
        for left in (self.var / "tmp").glob("*"):
            shutil.rmtree(left) if left.is_dir() else left.unlink()

    def secret(self, *, create: bool = False) -> bytes:
        """Read the secret that keys every hash: SHAFAF_SECRET_FILE, else var/secret (made, 0600, where `create`)."""
        named = os.environ.get("SHAFAF_SECRET_FILE")
        path = Path(named) if named else self.var / "secret"
        if create and not named and not path.exists():
            # whole or not there: half a secret would stop every run, a lost one would make every known case look new
            make_folder_durable(self.var, mode=0o700)
            replace_durable(path, secrets.token_hex(32).encode(), mode=0o600)
        try:
            secret = path.read_bytes().strip()
        except OSError:
            raise SettingsError(
                "no-secret",
                found="no secret file",
                expected="a file of at least 32 bytes named by SHAFAF_SECRET_FILE, or var/secret",
                todo="Restore it from the backup; a new secret would make every known case look new.",
            ) from None
        if len(secret) < 32:
            raise SettingsError(
                "short-secret",
                found=f"a secret of {len(secret)} bytes",
                expected="at least 32",
                todo="Write 64 random hexadecimal digits into the secret file before the first run.",
            )
        return secret

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the instance's lock; LockedError (exit 75) where another run holds it."""
        self.var.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with FileLock(self.var / "lock", timeout=0):
                yield
        except Timeout:
            raise LockedError(
                "locked",
                found="a lock that another run holds",
                expected="one run at a time",
                todo="Wait for the other run to end, then try again.",
            ) from None
