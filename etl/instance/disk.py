"""What a machine that says no is called: a disk that is full, over quota, read-only, not ours, or another thing; no memory.

Files are written by Python, pyarrow, DuckDB and SQLite; each has its own exception for the same trouble. `explain_disk`
turns all of them into a ReleaseError in three parts. Any other exception passes unchanged: it is a fault of the program.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from etl.errors import ReleaseError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG})
_FULL_SQLITE = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY})
_DENIED_WORDS = ("permission denied", "operation not permitted")  # DuckDB gives no numbers
_FULL_WORDS = (
    "no space left",
    "file too large",
    "disk quota",
    "read-only",
    "could not write",
    "max_temp_directory_size",
)


@contextmanager
def explain_disk() -> Iterator[None]:
    """Raise ReleaseError where the work inside met one of them; never a path.

    Slugs: `disk-full`, `no-permission`, `misplaced-file`, `memory-full`.
    """
    try:
        yield
    except PermissionError as error:
        raise _denied() from error
    except (NotADirectoryError, IsADirectoryError, FileExistsError) as error:
        raise ReleaseError(
            "misplaced-file",
            found="a file of the instance in the place of a folder, or a folder in the place of a file",
            expected="datasets/, public/ and var/ as Shafaf made them",
            todo="Move it away and restore what belongs there from the backup; what was released is as it was.",
        ) from error
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise _full() from error
    except duckdb.Error as error:  # a commit, a spill or a read meets it, each with an exception of its own
        explained = _explained(str(error).lower())
        if explained is None and isinstance(error, duckdb.OutOfMemoryException):
            explained = _out_of_memory()
        if explained is None:
            raise
        raise explained from error
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_CANTOPEN:
            raise _denied() from error
        if error.sqlite_errorcode & 0xFF not in _FULL_SQLITE:
            raise
        raise _full() from error


def _explained(text: str) -> ReleaseError | None:
    if any(words in text for words in _DENIED_WORDS):
        return _denied()
    return _full() if any(words in text for words in _FULL_WORDS) else None


def _full() -> ReleaseError:
    return ReleaseError(
        "disk-full",
        found="a disk that takes no more bytes: full, over quota or read-only",
        expected="room for staging, release and site",
        todo="Make room, or mount it for writing, and run again; what was released is whole.",
    )


def _out_of_memory() -> ReleaseError:
    return ReleaseError(
        "memory-full",
        found="work that x-shafaf.memory_limit does not leave enough memory for",
        expected="about 1200MB for ten million events, 4GB for fifty million",
        todo="Raise x-shafaf.memory_limit in metadata.yml, and run again; what was released is whole.",
    )


def _denied() -> ReleaseError:
    return ReleaseError(
        "no-permission",
        found="a folder or file of the instance that this user may not read or write",
        expected="datasets/, public/ and var/ owned by the user who runs Shafaf",
        todo="Give them to that user and run again; what was released is whole.",
    )
