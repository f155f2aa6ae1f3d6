"""Which release is in place: `current.json` of `datasets/` and of `public/`, a file and not a symlink (DESIGN §6)."""

from __future__ import annotations

import json
from pathlib import Path

from etl.errors import ReleaseError


def current_release(folder: Path) -> str | None:
    """Give the `release_id` that `folder/current.json` names; None before the first one.

    Errors: ReleaseError where the file is there but cannot be understood.
    """
    try:
        current = json.loads((folder / "current.json").read_text(encoding="utf-8"))
        return str(current["release_id"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, RecursionError, IsADirectoryError):
        raise ReleaseError(
            "current-unreadable",
            found=f"a {folder.name}/current.json that cannot be read",
            expected="a JSON object with release_id",
            todo=f"Remove {folder.name}/current.json and run `shafaf build`.",
        ) from None
