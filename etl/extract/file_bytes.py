"""The bytes of a CSV file as a stream that nothing can blow up: line, unpacked size and ratio are bounded (`[limits]`).

Where it stands: between the disk and the CSV reader. Gzip is known by its first bytes, not by its name; other encodings (of a
byte order mark, else `encoding` of source.toml) become UTF-8 here. It holds one block at a time, understands no value, and an
error names the file's fault, never its content. What it does not do: repair a file.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from etl.errors import SourceError
from etl.extract.mapping import SourceMap

_GZIP = b"\x1f\x8b"
_ARCHIVES = (b"PK\x03\x04", b"%PDF", b"\xd0\xcf\x11\xe0", b"SQLite format 3\x00", b"PAR1")
_MARK_BYTES = 3  # of the longest byte order mark
_NO_RATIO_BELOW = 1 << 20  # bytes unpacked before the ratio is looked at


class BoundedBytes(io.RawIOBase):
    """The UTF-8 bytes of a source's file; SourceError where it is damaged, or larger than `[limits]` allows."""

    def __init__(self, packed: IO[bytes], source: SourceMap) -> None:
        """Read from a file that is open; the caller closes it."""
        super().__init__()
        self._packed = packed
        self._source = source
        is_gzip = packed.read(2) == _GZIP
        packed.seek(0)
        self._plain: IO[bytes] | gzip.GzipFile = gzip.GzipFile(fileobj=packed) if is_gzip else packed
        self._is_gzip = is_gzip
        self._decoder: codecs.IncrementalDecoder | None = None
        self._encoding = ""  # not known before the first bytes
        self._unpacked = 0
        self._since_newline = 0
        self._quotes = 0
        self._line = 1

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Give the next bytes, at most one block of `[limits] line_bytes`; empty at the end."""
        limit = self._source.limits.line_bytes
        while True:
            block = self._take(max(min(size, limit) if size > 0 else limit, _MARK_BYTES))
            if not self._encoding:
                self._begin(block)
            self._measure(len(block))
            text = block if self._decoder is None else self._decode(block)
            if text or not block:
                break
        self._watch_lines(text)
        if not block and self._quotes % 2:
            raise self.fault(
                "source-quotes", "a quote that is never closed", 'every quoted cell to end with "', "Export it again."
            )
        return text

    def fault(self, slug: str, found: str, expected: str, todo: str) -> SourceError:
        """Make an error that names the source."""
        return SourceError(
            slug, found=f"{found} in the file of source {self._source.name!r}", expected=expected, todo=todo
        )

    def _take(self, size: int) -> bytes:
        try:
            return self._plain.read(size)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise self.fault(
                "source-damaged",
                "gzip data that break off or are damaged",
                "a whole .gz file",
                "Copy the file again and compare its size or checksum.",
            ) from None

    def _measure(self, size: int) -> None:
        limits = self._source.limits
        self._unpacked += size
        if self._unpacked > limits.unpacked_bytes:
            raise self.fault(
                "source-too-large",
                f"more than {limits.unpacked_bytes:,} bytes",
                "at most limits.unpacked_bytes",
                "Look at the file; raise the limit in source.toml if it is meant.",
            )
        if self._is_gzip and self._unpacked > max(_NO_RATIO_BELOW, limits.unpack_ratio * self._packed.tell()):
            raise self.fault(
                "source-bomb",
                f"gzip data that grow more than {limits.unpack_ratio} times",
                "at most limits.unpack_ratio",
                "Look at the file; raise the limit in source.toml if it is meant.",
            )

    def _begin(self, block: bytes) -> None:
        """Choose how to decode: a byte order mark says more than source.toml does, which speaks for all files."""
        marked = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
        self._encoding = next((name for mark, name in marked.items() if block.startswith(mark)), self._source.encoding)
        self._decoder = None if self._encoding == "utf-8" else codecs.getincrementaldecoder(self._encoding)()

    def _decode(self, block: bytes) -> bytes:
        try:
            return (self._decoder.decode(block, final=not block) if self._decoder else "").encode()
        except UnicodeError:
            raise wrong_encoding(self._source, self._encoding) from None

    def _watch_lines(self, text: bytes) -> None:
        first = text.find(b"\n")
        head = len(text) if first < 0 else first
        if self._since_newline + head > self._source.limits.line_bytes:
            raise self.fault(
                "source-line",
                f"a line of more than {self._source.limits.line_bytes:,} bytes (line {self._line:,})",
                "at most limits.line_bytes",
                "Look at that line; raise the limit in source.toml if it is meant.",
            )
        self._since_newline = self._since_newline + head if first < 0 else len(text) - text.rfind(b"\n") - 1
        self._line += text.count(b"\n")
        self._quotes += text.count(b'"')


@contextmanager
def open_bytes(path: Path, source: SourceMap) -> Iterator[BoundedBytes]:
    """Open a source's file; SourceError where it cannot be opened or is no text."""
    try:
        packed = path.open("rb")
    except OSError:
        raise unreadable(source) from None
    with packed:
        before = os.fstat(packed.fileno())
        try:
            yield BoundedBytes(packed, source)
            after = os.fstat(packed.fileno())
        except OSError as error:
            if error.filename is None and error.errno is None:
                raise
            raise unreadable(source) from None
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise SourceError(
            "source-moving",
            found=f"a file of source {source.name!r} that changed while it was read",
            expected="a file that is written before the run begins; nothing was written",
            todo="Let the export write under another name and rename the file at its end, then run again.",
        )


def read_header(path: Path, source: SourceMap) -> list[str]:
    """Read the names in the header line; SourceError where the file is empty or no text."""
    with open_bytes(path, source) as stream:
        head = b""
        while b"\n" not in head and (block := stream.read(1 << 16)):
            head += block
            _check_text(head, stream, source)
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(head)
        names = next(csv.reader(io.StringIO(text, newline=""), delimiter=source.delimiter), [])
    except (UnicodeDecodeError, csv.Error):
        raise wrong_encoding(source) from None
    if not any(name.strip() for name in names):
        raise empty(source, "header line")
    return names


def unreadable(source: SourceMap) -> SourceError:
    """Make the error of a file that is there and cannot be read."""
    return SourceError(
        "source-unreadable",
        found=f"a file of source {source.name!r} that this user cannot read",
        expected="a file with the right to read it",
        todo="Look at its owner and mode, and at the disk.",
    )


def wrong_encoding(source: SourceMap, encoding: str = "") -> SourceError:
    """Make the error of a file in another encoding than declared."""
    return SourceError(
        "source-encoding",
        found=f"text that is not {(encoding or source.encoding).upper()} in the file of source {source.name!r}",
        expected="what a byte order mark says, else the encoding that source.toml names (UTF-8 where it names none)",
        todo='Write encoding = "windows-1256" or "utf-16", or export the file as UTF-8.',
    )


def empty(source: SourceMap, what: str) -> SourceError:
    """Make the error of a source that gives nothing."""
    return SourceError(
        "source-empty",
        found=f"no {what} from source {source.name!r}",
        expected="at least one: an empty source is taken for a fault; nothing was written",
        todo="Look at the file or at the query and its conditions.",
    )


def _check_text(head: bytes, stream: BoundedBytes, source: SourceMap) -> None:
    if head.startswith(_ARCHIVES) or b"\0" in head.split(b"\n", 1)[0]:
        raise stream.fault(
            "source-binary",
            "something that is no text (an archive, a workbook, a picture)",
            "CSV, plain or packed with gzip",
            'Export it as CSV, unpack the archive, or write encoding = "utf-16" where it is such a text without its mark.',
        )
