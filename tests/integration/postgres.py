"""A PostgreSQL server of its own for tests: on loopback, in a folder of its own, ended with the test.

The programs come from Debian's package `postgresql` (`.ci/install` brings it). As root the server runs as the user that
the package makes, because PostgreSQL refuses to run as root.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

OWNER = "postgres"
_BOUND = 60  # seconds for initdb, and for the end


@dataclass(frozen=True)
class Server:
    """A running server: where it listens, and how sources name it."""

    port: int

    def address(self, schema: str) -> str:
        """Give the address of a schema as `url` of a source."""
        return f"postgresql://{OWNER}@127.0.0.1:{self.port}/postgres?options=-csearch_path%3D{schema}"

    def connect(self) -> psycopg.Connection:
        """Open a connection that commits each statement, as another program would."""
        return psycopg.connect(f"host=127.0.0.1 port={self.port} user={OWNER} dbname=postgres", autocommit=True)


def find_programs() -> Path | None:
    """Find the folder of `initdb` and `postgres`; None where the package is absent."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "postgres").exists() and (folder / "initdb").exists()), None)


@contextmanager
def run_server(programs: Path) -> Iterator[Server]:
    """Start a server on a free port and end it; bounded by the time limit of the test."""
    with tempfile.TemporaryDirectory(prefix="shafaf-pg-") as name:
        folder = Path(name)
        owner = pwd.getpwnam(OWNER) if os.geteuid() == 0 else None
        who = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if owner else {}
        if owner:
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        made = [
            programs / "initdb",
            "-D",
            folder / "data",
            "-U",
            OWNER,
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
        ]
        subprocess.run([*made, "--no-sync"], check=True, timeout=_BOUND, cwd=folder, stdout=subprocess.DEVNULL, **who)
        port = _free_port()
        settings = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": folder, "fsync": "off"}
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        start = [programs / "postgres", "-D", folder / "data", *options]
        with subprocess.Popen(start, cwd=folder, stderr=subprocess.PIPE, text=True, **who) as server:
            try:
                _await_ready(server)
                yield Server(port)
            finally:
                server.send_signal(signal.SIGINT)  # the fast end: connections are closed
                server.communicate(timeout=_BOUND)


def load_database(server: Server, schema: str, *, tables: str, database: Path) -> None:
    """Copy a SQLite database of the synthetic office into a schema; `tables` is its own list of `create table`."""
    with server.connect() as target, closing(sqlite3.connect(database)) as source:
        target.execute(sql.SQL("create schema {0}").format(sql.Identifier(schema)))
        target.execute(sql.SQL("set search_path to {0}").format(sql.Identifier(schema)))
        target.execute(tables.replace(" integer", " bigint").encode())
        names = source.execute("select name from sqlite_schema where type = 'table'").fetchall()
        for (name,) in names:
            copy = sql.SQL("copy {0} from stdin").format(sql.Identifier(name))
            with target.cursor() as cursor, cursor.copy(copy) as rows:
                for row in source.execute(f'select * from "{name}"'):
                    rows.write_row(row)


def _free_port() -> int:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def _await_ready(server: subprocess.Popen[str]) -> None:
    """Read what the server says until it is ready; what it said is the error where it ends before."""
    said = []
    for line in server.stderr or ():
        said.append(line)
        if "ready to accept connections" in line:
            return
    raise RuntimeError("".join(said))
