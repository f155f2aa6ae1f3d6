"""The run's log, `var/log/run.jsonl`: JSON lines with counts and codes only, one `run_id` for each start of the program.

Never a value of a case, never a traceback: an unexpected exception is written as its type and the place in our code.
The log is private and for the operator; released bytes never depend on it, so it may hold the machine's clock.
"""

from __future__ import annotations

import json
import logging
import os
import traceback
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

_LOGGER = logging.getLogger("shafaf")
Value = str | int | float | None


class _JsonLines(logging.Formatter):
    """One JSON object a line: at, run_id, level, event and its counts."""

    def __init__(self, run_id: str) -> None:
        super().__init__()
        self._run_id = run_id

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, object] = {"at": at, "run_id": self._run_id, "level": record.levelname.lower()}
        line["event"] = record.msg
        line.update(getattr(record, "fields", {}))
        return json.dumps(line, ensure_ascii=False)


def open_journal(var: Path) -> None:
    """Send entries to `var/log/run.jsonl` (0600); a folder that cannot be written means no journal, not no run."""
    close_journal()
    path = var / "log" / "run.jsonl"
    try:
        for folder in (var, path.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600))
        handler = logging.FileHandler(path, encoding="utf-8")
    except OSError:
        return
    handler.setFormatter(_JsonLines(uuid.uuid4().hex[:12]))
    _LOGGER.addHandler(handler)
    _LOGGER.setLevel(logging.INFO)
    _LOGGER.propagate = False


def close_journal() -> None:
    """Close the file that entries went to."""
    for handler in list(_LOGGER.handlers):
        _LOGGER.removeHandler(handler)
        handler.close()


def note(event: str, fields: Mapping[str, Value] | None = None) -> None:
    """Write an entry: a code and its counts."""
    _LOGGER.info(event, extra={"fields": dict(fields or {})})


def note_error(event: str, fields: Mapping[str, Value]) -> None:
    """Write an entry of level error."""
    _LOGGER.error(event, extra={"fields": dict(fields)})


def place_of(trace: TracebackType | None) -> str:
    """Name the innermost place in a traceback as `file:line`, without any folder of the machine."""
    frames = traceback.extract_tb(trace)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown"
