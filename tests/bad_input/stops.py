"""Inputs that stop the run: what is wrong, the slug that must be told, and words that the message must have."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass

from tests.bad_input.bends import (
    Bend,
    both,
    cell,
    content,
    days,
    folder_for,
    many,
    nodes,
    packed,
    recode,
    remove,
    settings,
    sql,
    swap,
)

SETTINGS, SOURCE = 22, 21


@dataclass(frozen=True)
class Stop:
    """One bad input: the flavour of the office, how it is bent, and the error it must give."""

    name: str
    flavour: str
    bend: Bend
    slug: str
    code: int = SOURCE
    words: tuple[str, ...] = ()


def _archive(name: str) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr(name, "id,class\n")
    return held.getvalue()


_WIDE_BOMB = b"\n" * 40_000_000
_OPEN_QUOTE = recode(lambda data: data.replace(b"CANARY-note-2", b'"CANARY-note-2'))

MAPPINGS = tuple(
    Stop(name, "table", swap(old, new), slug, SETTINGS, words)
    for name, old, new, slug, words in (
        ("unknown key", 'shape = "case_row"', 'shap = "case_row"', "source-unknown-key", ("shape",)),
        ("unknown column of staging", "channel_code", "chanel_code", "source-unknown-key", ("channel_code",)),
        ("unknown key in a table", "quarantine_share", "quarantine_part", "source-unknown-key", ("quarantine_share",)),
        ("wrong type of a limit", "quarantine_share = 1.0", 'quarantine_share = "all"', "source-type", ("float",)),
        (
            "wrong type of a table",
            '[secrecy]\ncolumn = "class"\nmap = { "عادی" = "normal" }',
            'secrecy = "normal"',
            "source-type",
            ("secrecy",),
        ),
        ("wrong type of a list", 'missing = ["-"]', "missing = 5", "source-type", ()),
        ("limit out of range", "quarantine_share = 1.0", "quarantine_share = 5", "source-limit", ("0 to 1",)),
        ("not TOML", 'kind = "table"', "kind = table", "source-syntax", ("line",)),
        ("unknown kind", 'kind = "table"', 'kind = "excle"', "source-value", ("Nearest",)),
        (
            "unknown encoding",
            'kind = "table"',
            'kind = "table"\nencoding = "cp1256"',
            "source-value",
            ("windows-1256",),
        ),
        ("unknown delimiter", 'kind = "table"', 'kind = "table"\ndelimiter = "::"', "source-value", (";",)),
        ("unknown zone", 'missing = ["-"]', 'zone = "Asia/Teheran"', "source-zone", ("Asia/Tehran",)),
        ("a folder of zones", 'missing = ["-"]', 'zone = "Asia"', "source-zone", ()),
        ("snapshot that is no date", '"2026-03-20"', '"2026-13-40"', "source-type", ("snapshot_on",)),
        ("snapshot in Jalali", '"2026-03-20"', '"1404-12-29"', "source-snapshot", ("Gregorian",)),
        ("no snapshot", 'snapshot_on = "2026-03-20"', "", "source-snapshot", ()),
        ("snapshot_query of a file", 'snapshot_on = "2026-03-20"', 'snapshot_query = "x"', "source-snapshot", ()),
        ("no class of secrecy", 'column = "class"\nmap = { "عادی" = "normal" }', "", "source-secrecy", ()),
        (
            "normal without why",
            'column = "class"\nmap = { "عادی" = "normal" }',
            'constant = "normal"',
            "source-secrecy",
            (),
        ),
        (
            "no table of secrecy",
            '[secrecy]\ncolumn = "class"\nmap = { "عادی" = "normal" }',
            "",
            "source-type",
            ("secrecy",),
        ),
        ("column and constant", 'score = "score"', 'score = { column = "a", constant = "4" }', "source-column", ()),
        ("unknown map", 'map = "channel"', 'map = "chanel"', "source-map", ("channel",)),
        ("unknown code in a map", '"وب" = "web"', '"وب" = "wep"', "source-unknown-code", ("web",)),
        ("unknown constant", 'constant = "permit"', 'constant = "permitt"', "source-unknown-code", ("permit",)),
        ("unknown milestone", 'milestone = "closed"', 'milestone = "ended"', "source-unknown-code", ()),
        (
            "two digits for a year",
            '{ column = "closed" }',
            '{ column = "closed", format = "%d/%m/%y" }',
            "source-format",
            ("two digits",),
        ),
        (
            "hours without AM/PM",
            '{ column = "closed" }',
            '{ column = "closed", format = "%m/%d/%Y %I:%M" }',
            "source-format",
            ("%p",),
        ),
        (
            "unknown part of a format",
            '{ column = "closed" }',
            '{ column = "closed", format = "%Q" }',
            "source-format",
            ("%Q",),
        ),
        (
            "Jalali with names of months",
            '{ column = "closed" }',
            '{ column = "closed", format = "jalali:%d %B %Y" }',
            "source-format",
            ("%B",),
        ),
        ("no case type", 'case_type_code = { constant = "service" }', "", "source-needs", ("case_type_code",)),
        ("no first day", 'registered_on = { column = "registered" }', "", "source-needs", ("received_at",)),
        ("no path", 'path = "rows.csv"', "", "source-address", ()),
    )
) + (
    Stop(
        "broken regular expression", "events", swap("re:^leave", "re:(leave"), "source-pattern", SETTINGS, ("(leave",)
    ),
    Stop("shape without its events", "events", swap('"events"', '"case_row"'), "source-shape", SETTINGS),
    Stop(
        "mapping not in UTF-8",
        "table",
        content("kind = 'ميز'".encode("cp1256"), file="sources/office/source.toml"),
        "source-syntax",
        SETTINGS,
    ),
    Stop("mapping is a folder", "table", folder_for("sources/office/source.toml"), "source-syntax", SETTINGS),
    Stop("no mapping", "table", remove("sources/office/source.toml"), "no-sources", SETTINGS),
)

FILES = (
    Stop("missing file", "table", remove("rows.csv"), "source-absent"),
    Stop("folder instead of a file", "table", folder_for("rows.csv"), "source-absent"),
    Stop("name too long for a file", "table", swap("rows.csv", "r" * 300 + ".csv"), "source-absent"),
    Stop("empty file", "table", content(b""), "source-empty", words=("header line",)),
    Stop("header only", "table", many(0), "source-empty", words=("case row",)),
    Stop("no header", "table", recode(lambda data: data.split(b"\n", 1)[1]), "source-column-gone", words=("header",)),
    Stop(
        "column of another name",
        "table",
        recode(lambda data: data.replace(b"channel", b"chanel", 1)),
        "source-column-gone",
        words=("'chanel'",),
    ),
    Stop(
        "column twice",
        "table",
        recode(lambda data: data.replace(b"note", b"org", 1)),
        "source-column-twice",
        words=("'org'",),
    ),
    Stop("short row", "table", recode(lambda data: data + b"CANARY-4,x\n"), "source-table", words=("2 cells under 9",)),
    Stop(
        "long row",
        "table",
        recode(lambda data: data.replace(b"note-2", b"note-2,CANARY,", 1)),
        "source-table",
        words=("11 cells",),
    ),
    Stop("row cut off", "table", recode(lambda data: data[:-30]), "source-table"),
    Stop("quote never closed in the last cell", "table", _OPEN_QUOTE, "source-quotes"),
    Stop("quote never closed in a cell", "table", cell("channel", '"CANARY'), "source-quotes"),
    Stop(
        "CP1256 undeclared",
        "table",
        recode(lambda data: data.decode().replace("ی", "ي").encode("cp1256")),
        "source-encoding",
        words=("windows-1256",),
    ),
    Stop(
        "UTF-16 undeclared",
        "table",
        recode(lambda data: data.decode().encode("utf-16")),
        "source-encoding",
        words=("utf-16",),
    ),
    Stop(
        "UTF-8 declared as UTF-16",
        "table",
        both(swap('kind = "table"', 'kind = "table"\nencoding = "utf-16"'), content(b"id,class\nr")),
        "source-encoding",
    ),
    Stop(
        "semicolons undeclared",
        "table",
        recode(lambda data: data.replace(b",", b";")),
        "source-column-gone",
        words=("delimiter",),
    ),
    Stop("picture", "table", content(b"\x89PNG\r\x00\x00" + bytes(range(256))), "source-binary"),
    Stop("zip archive", "table", content(_archive("rows.csv")), "source-binary"),
    Stop("workbook", "table", content(_archive("xl/workbook.xml")), "source-binary", words=("workbook",)),
    Stop("database as a file", "table", content(b"SQLite format 3\0" + b"\0" * 100), "source-binary"),
    Stop("gzip broken off", "table", packed(lambda data: data[:-20]), "source-damaged"),
    Stop("gzip with wrong bytes", "table", packed(lambda data: data[:40] + b"\xff" * 9 + data[49:]), "source-damaged"),
    Stop("gzip header only", "table", content(b"\x1f\x8b\x08"), "source-damaged"),
    Stop("zip bomb", "table", packed(after=_WIDE_BOMB), "source-bomb", words=("200 times",)),
    Stop(
        "more bytes than allowed",
        "table",
        both(swap("[limits]", "[limits]\nunpacked_bytes = 100_000"), recode(lambda data: data * 2_000)),
        "source-too-large",
        words=("100,000",),
    ),
    Stop("line of two megabytes", "table", cell("note", "x" * (2 << 20)), "source-line", words=("1,048,576", "line 3")),
    Stop(
        "header of two megabytes",
        "table",
        recode(lambda data: b"x" * (2 << 20) + data),
        "source-line",
        words=("line 1",),
    ),
    Stop(
        "all classes mojibake",
        "table",
        recode(lambda data: data.replace("عادی".encode(), "عادی".encode().decode("latin-1").encode())),
        "source-all-classified",
        words=("encoding",),
    ),
    Stop(
        "no class of secrecy in any row",
        "table",
        recode(lambda data: data.replace("عادی".encode(), b"")),
        "source-all-classified",
    ),
)

DATABASES = (
    Stop("missing database", "database", remove("office.db"), "source-absent"),
    Stop("file that is no database", "database", content(b"CANARY" * 500, file="office.db"), "source-unreachable"),
    Stop(
        "unreachable server",
        "database",
        swap("sqlite:///office.db", "postgresql+psycopg://clerk:CANARY-word@127.0.0.1:9/x"),
        "source-unreachable",
        words=("password",),
    ),
    Stop(
        "variable not set",
        "database",
        swap("sqlite:///office.db", "env:SHAFAF_TEST_NO_SUCH_URL"),
        "source-url",
        SETTINGS,
    ),
    Stop(
        "unknown kind of database", "database", swap("sqlite:///office.db", "CANARYsql://x/y"), "source-url", SETTINGS
    ),
    Stop(
        "driver not installed",
        "database",
        swap("sqlite:///office.db", "mysql+pymysql://x/y"),
        "source-url",
        SETTINGS,
        ("driver",),
    ),
    Stop(
        "query that fails",
        "database",
        content("select * from CANARY", file="sources/office/case.sql"),
        "source-query-fails",
        words=("case.sql",),
    ),
    Stop(
        "query that writes",
        "database",
        content("delete from events", file="sources/office/event.sql"),
        "source-query-fails",
        words=("event.sql",),
    ),
    Stop(
        "two queries", "database", content("select 1; select 2", file="sources/office/case.sql"), "source-query-fails"
    ),
    Stop("no query in the file", "database", content("", file="sources/office/case.sql"), "source-query-fails"),
    Stop(
        "no file of a query", "database", remove("sources/office/event.sql"), "source-query", SETTINGS, ("event.sql",)
    ),
    Stop(
        "query not in UTF-8",
        "database",
        content("select 'ميز'".encode("cp1256"), file="sources/office/case.sql"),
        "source-query",
        SETTINGS,
    ),
    Stop(
        "query that gives nothing",
        "database",
        content("select * from cases where 0", file="sources/office/case.sql"),
        "source-empty",
    ),
    Stop(
        "column vanished from a table",
        "database",
        sql("alter table cases rename column closed to ended"),
        "source-column-gone",
        words=("closed",),
    ),
    Stop(
        "column twice in a query",
        "database",
        content("select *, '' as org from cases", file="sources/office/case.sql"),
        "source-column-twice",
    ),
    Stop(
        "text that is not UTF-8",
        "database",
        sql("update cases set result = cast(x'ff43414e415259' as text) where rowid = 2"),
        "source-database",
    ),
    Stop(
        "snapshot without an offset",
        "database",
        swap('snapshot_on = "2026-03-20"', "snapshot_query = \"select '2026-03-20T10:00:00'\""),
        "source-snapshot-value",
        words=("offset",),
    ),
    Stop(
        "snapshot of nothing",
        "database",
        swap('snapshot_on = "2026-03-20"', 'snapshot_query = "select null"'),
        "source-snapshot-value",
    ),
    Stop(
        "snapshot query that fails",
        "database",
        swap('snapshot_on = "2026-03-20"', 'snapshot_query = "select now_"'),
        "source-query-fails",
        words=("snapshot_query",),
    ),
)

SHARES = (
    Stop(
        "a new code in too many rows",
        "table",
        both(swap("quarantine_share = 1.0", ""), cell("channel", "CANARY-pigeon")),
        "quarantine-share",
        words=("1 of 3 cases", "1 unknown_code in channel_code", "1.0%"),
    ),
    Stop(
        "Jalali in a Gregorian column",
        "table",
        both(swap("quarantine_share = 1.0", ""), days("%Y-%m-%d", *["1404-05-01"] * 3)),
        "quarantine-share",
        words=("3 impossible_date in registered_on",),
    ),
    Stop(
        "all days in the future",
        "table",
        both(swap("quarantine_share = 1.0", ""), swap("2026-03-20", "2020-03-20")),
        "quarantine-share",
        words=("3 after_snapshot",),
    ),
)

METADATA = tuple(
    Stop(f"settings: {name}", "table", settings(old, new), slug, SETTINGS, words)
    for name, old, new, slug, words in (
        ("unknown key", "k: 10", "kk: 10", "unknown-key", ("kk",)),
        ("wrong type", "k: 10", "k: ten", "metadata-type", ()),
        ("k of four", "k: 10", "k: 4", "policy-k", ("at least 5",)),
        ("not YAML", "k: 10", "k: [10", "metadata-syntax", ("line",)),
        ("no x-shafaf", "x-shafaf:", "x-shaffaf:", "metadata-shape", ()),
        ("unknown calendar", "system: jalali", "system: persian", "calendar-system", ("jalali",)),
        ("unknown zone", "Asia/Tehran", "Asia/Teheran", "calendar-zone", ()),
        ("unknown day", "thursday, friday", "thursday, firday", "calendar-weekend", ("friday",)),
        ("unknown country", "holidays: IR", "holidays: XX", "calendar-holidays", ()),
        ("unknown clock", "headline: bylaw", "headline: decree", "clock-headline", ()),
        ("clock of no day", "{days: 10, kind: working", "{days: 0, kind: working", "clock-days", ()),
        ("unknown kind of days", "kind: working", "kind: workdays", "clock-kind", ("working",)),
        ("unknown start", "from: registered", "from: registred", "clock-from", ("registered",)),
        ("falling bands", "[0, 2, 5, 10]", "[0, 5, 2, 10]", "bands-order", ()),
        ("unknown sensitive service", "[permit]", "[permitt]", "sensitive-service", ("permit",)),
        ("unknown case type", "inquiry: other", "inquire: other", "case-type", ("inquiry",)),
        ("no file of services", "services.csv", "service.csv", "no-nodes", ()),
        ("ladder: unknown column", "duration: band", "durations: band", "ladder-column", ("duration",)),
        ("ladder: unknown level", "duration: band", "duration: days", "ladder-level", ("band",)),
        (
            "ladder: outcome dropped first",
            "    - {outcome: code, lateness: code, duration: band}\n",
            "    - {lateness: code}\n",
            "ladder-outcome-last",
            (),
        ),
    )
) + (
    Stop("settings: metadata.yml is a folder", "table", folder_for("metadata.yml"), "metadata-syntax", SETTINGS),
    Stop("settings: no metadata.yml", "table", remove("metadata.yml"), "no-instance", SETTINGS),
    Stop("settings: no rung", "table", settings("ladder:\n", "ladder: []\n#"), "metadata-syntax", SETTINGS),
    Stop(
        "services: not in UTF-8",
        "table",
        content("id,title_fa\npermit,ميز\n".encode("cp1256"), file="services.csv"),
        "no-nodes",
        SETTINGS,
    ),
    Stop("services: no ids", "table", nodes("id,parent", "body,parent"), "nodes-id", SETTINGS, ("row 1",)),
    Stop("services: unknown column", "table", nodes("title_en", "title_de"), "nodes-column", SETTINGS, ("title_en",)),
    Stop("services: too many cells", "table", nodes("Renewal", "Renewal,x"), "nodes-column", SETTINGS),
    Stop("services: an id twice", "table", nodes("renewal,permit", "permit,"), "nodes-twice", SETTINGS, ("permit",)),
    Stop("services: unknown parent", "table", nodes("renewal,permit", "renewal,permitt"), "nodes-parent", SETTINGS),
    Stop("services: a circle", "table", nodes("permit,,", "permit,renewal,"), "nodes-cycle", SETTINGS),
)

STOPS = (*MAPPINGS, *FILES, *DATABASES, *SHARES, *METADATA)
