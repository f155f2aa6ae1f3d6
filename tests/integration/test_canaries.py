"""The scanner that looks for identities sees them in every form and layer it names (a scanner that cannot see proves nothing)."""

from __future__ import annotations

import base64
import gzip
import sqlite3
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.integration.canaries import Scanner, scan

NUMBER, NAME = "0071234567", "کیان‌دخت سپهرآرا"
CANARIES = [NUMBER, NAME]


@pytest.mark.parametrize(
    "data",
    [
        b"x,0071234567,y",
        "کد ۰۰۷۱۲۳۴۵۶۷".encode(),
        "كد ٠٠٧١٢٣٤٥٦٧".encode(),
        "0071234567".encode("utf-16-le"),
        "۰۰۷۱۲۳۴۵۶۷".encode("utf-16-be"),
        *(base64.b64encode(b"a" * shift + b"0071234567" + b"tail") for shift in range(3)),
    ],
)
def test_a_number_is_seen_in_every_form(data: bytes) -> None:
    """Three scripts, two encodings, three alignments of base64."""
    for pad in range(9):
        assert Scanner(CANARIES).find(b"." * pad + data) == {0}


def test_other_bytes_are_not_accused() -> None:
    """A number that differs in its last digit is another number."""
    assert Scanner(CANARIES).find(b"0071234568 " * 50) == set()
    assert Scanner(CANARIES).find(b"") == set()


def test_an_identity_is_seen_inside_packed_files(tmp_path: Path) -> None:
    """Gzip members, compressed Parquet cells and deleted rows of SQLite are looked into, and names of files."""
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(f"x,{NAME}\n".encode()))
    pq.write_table(pa.table({"n": [NUMBER], "t": ["x"]}), tmp_path / "b.parquet", compression="zstd")
    with sqlite3.connect(tmp_path / "c.db") as database:
        database.execute("pragma secure_delete = off")
        database.execute("create table t (v text)")
        database.execute("insert into t values (?)", [NUMBER])
        database.commit()
        database.execute("delete from t")
    database.close()
    (tmp_path / f"letter-{NUMBER}.txt").write_text("empty", encoding="utf-8")
    seen = {(finding.file[:2], finding.layer) for finding in scan([tmp_path], CANARIES)}
    assert seen >= {("a.", "gzip"), ("b.", "parquet"), ("c.", "raw"), ("le", "name")}
