"""Inputs that stop the run: what is wrong, the slug that must be told, and words that the message must have."""

from __future__ import annotations

import io
import shutil
import zipfile
from dataclasses import dataclass

from tests.bad_input.bends import (
    Bend,
    both,
    cell,
    content,
    damage,
    days,
    folder_for,
    link_for,
    locked,
    many,
    nodes,
    packed,
    pipe_for,
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

_YAML_BOMB = "".join(f"  x{n}: &s{n} [{', '.join([f'*s{n - 1}'] * 9)}]\n" for n in range(1, 10))

MAPPINGS = tuple(
    Stop(name, "table", swap(old, new), slug, SETTINGS, words)
    for name, old, new, slug, words in (
        ("unknown key", 'shape = "case_row"', 'shap = "case_row"', "source-unknown-key", ("shape",)),
        ("unknown column of staging", "channel_code", "chanel_code", "source-unknown-key", ("channel_code",)),
        ("unknown key in a table", "quarantine_share", "quarantine_part", "source-unknown-key", ("quarantine_share",)),
        (
            "wrong type of a limit",
            "quarantine_share = 1.0",
            'quarantine_share = "all"',
            "source-type",
            ("quarantine_share is not a number",),
        ),
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
        ("a key twice", 'shape = "case_row"', 'shape = "case_row"\nshape = "events"', "source-syntax", ("line 4",)),
        ("two spellings, two codes", '"كتبي" = "post"', '"كتبي" = "post"\n"کتبی" = "web"', "source-map-twice", ()),
        (
            "two spellings of a class",
            'map = { "عادی" = "normal" }',
            'map = { "عادی" = "normal", "عادي" = "secret" }',
            "source-map-twice",
            ("[secrecy]",),
        ),
        ("a group that is not there", '"كتبي" = "post"', "'re:^x$' = '\\1'", "source-pattern", ("groups",)),
        ("a constant day", '{ column = "closed" }', '{ constant = "2025-08-02" }', "source-column", ("closed_on",)),
        ("a constant number", 'score = "score"', 'score = { constant = "4" }', "source-column", ("score",)),
        ("no name of an id", 'case_ref = "id"', 'case_ref = ""', "source-needs", ("[link]",)),
        ("no name of a reference", 'case_ref = "id"', 'case_ref = "id"\nlink_ref = [[]]', "source-needs", ("[link]",)),
        ("no column of an event", 'column = "registered"\n[[', 'column = ""\n[[', "source-needs", ("[[event]]",)),
        ("an instant for a day", '"2026-03-20"', "2026-03-20T10:00:00Z", "source-type", ("snapshot_on",)),
        ("lists in lists", 'missing = ["-"]', f"missing = {'[' * 3000}{']' * 3000}", "source-syntax", ()),
        ("a number of 5,000 digits", 'missing = ["-"]', f"header_row = {'9' * 5000}", "source-syntax", ()),
        ("rows of names upside down", 'missing = ["-"]', "header_row = [3, 2]", "source-sheet", ("header_row",)),
        ("a row of names that is none", 'missing = ["-"]', "header_row = [true]", "source-type", ("header_row",)),
        (
            "rows left out by nothing",
            "[limits]",
            '[leave_out]\ncolumn = "id"\n[limits]',
            "source-leave-out",
            ("values",),
        ),
        (
            "rows left out by a broken pattern",
            "[limits]",
            '[leave_out]\ncolumn = "id"\nvalues = ["re:("]\n[limits]',
            "source-pattern",
            ("[leave_out]",),
        ),
        ("a line without bound", "[limits]", f"[limits]\nline_bytes = {10**15}", "source-limit", ("line_bytes",)),
    )
) + (
    Stop(
        "broken regular expression", "events", swap("re:^leave", "re:(leave"), "source-pattern", SETTINGS, ("(leave",)
    ),
    Stop(
        "rows of a query left out",
        "database",
        swap("[limits]", '[leave_out]\ncolumn = "id"\nvalues = ["x"]\n[limits]'),
        "source-leave-out",
        SETTINGS,
        ("where",),
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
    Stop("no source", "table", lambda folder: shutil.rmtree(folder / "sources"), "no-sources", SETTINGS),
    Stop(
        "a source without mapping beside another",
        "table",
        lambda folder: (folder / "sources" / "desk").mkdir(),
        "no-sources",
        SETTINGS,
        ("sources/desk/",),
    ),
    Stop("mapping is a pipe", "table", pipe_for("sources/office/source.toml"), "source-syntax", SETTINGS),
)

FILES = (
    Stop("missing file", "table", remove("rows.csv"), "source-absent"),
    Stop("folder instead of a file", "table", folder_for("rows.csv"), "source-absent"),
    Stop("pipe instead of a file", "table", pipe_for("rows.csv"), "source-absent"),
    Stop("link to itself", "table", link_for("rows.csv", "rows.csv"), "source-absent"),
    Stop("a pattern that fits no file", "table", swap("rows.csv", "desk/*.csv"), "source-absent"),
    Stop(
        "one of two files with another header",
        "table",
        both(swap("rows.csv", "*.csv"), content(b"id,class\n1,2\n", file="more.csv")),
        "source-column-gone",
        words=("(more.csv)",),
    ),
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
        "UTF-16 undeclared, without its mark",
        "table",
        recode(lambda data: data.decode().encode("utf-16-le")),
        "source-binary",
        words=("utf-16",),
    ),
    Stop(
        "UTF-16 by its mark, and then not",
        "table",
        recode(lambda data: data.decode().encode("utf-16") + b"\x00\xdc\x00"),
        "source-encoding",
        words=("UTF-16",),
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
    Stop(
        "missing database by another name of the driver",
        "database",
        both(swap("sqlite:///", "sqlite+pysqlite:///"), remove("office.db")),
        "source-absent",
    ),
    Stop("database that is locked", "database", locked("office.db"), "source-unreachable", words=("locked",)),
    Stop("database that is damaged", "database", damage("office.db"), "source-unreachable"),
    Stop(
        "a port that is no number",
        "database",
        swap("sqlite:///office.db", "postgresql+psycopg://x:CANARY@h:port/x"),
        "source-url",
        SETTINGS,
    ),
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
        ("k below nothing", "k: 10", "k: -10", "policy-k", ()),
        ("k without bound", "k: 10", f"k: {10**30}", "policy-k", ()),
        ("k in quotes", "k: 10", 'k: "10"', "metadata-type", ("x-shafaf.k is not a whole number",)),
        ("half a k", "k: 10", "k: 10.5", "metadata-type", ("x-shafaf.k",)),
        ("a key twice", "k: 10", "k: 10\n  k: 5", "metadata-syntax", ("'k' twice", "line 7")),
        ("a key that YAML reads as false", "k: 10", "no: 10", "metadata-syntax", ("no text",)),
        ("a tab", "k: 10", "k:\t10\n\tk: 10", "metadata-syntax", ("line",)),
        (
            "an alias that grows",
            "k: 10",
            f"k: 10\n  x0: &s0 {{}}\n{_YAML_BOMB}",
            "metadata-syntax",
            ("100,000",),
        ),
        ("lists in lists", "k: 10", f"k: {'[' * 3000}{']' * 3000}", "metadata-syntax", ()),
        ("a day that is none", "k: 10", "k: 2024-13-45", "metadata-syntax", ()),
        ("a title in one language", "{fa: آزمون, en: Test}", "{en: Test}", "portal-title", ()),
        ("a body in one language", "{fa: آب و فاضلاب, en: Water}", "{en: Water}", "body-title", ("abfa",)),
        ("a body that leads elsewhere", "id: abfa", "id: ../abfa", "body-id", ()),
        ("a body that YAML reads as false", "id: abfa", "id: no", "metadata-type", ("bodies",)),
        ("less than no day to settle", "settle_days: 15", "settle_days: -40", "cadence", ("settle_days",)),
        ("a season above a month", "season: 20", "season: 70", "cadence", ()),
        ("a clock of ten thousand days", "days: 10, kind: calendar", "days: 10000, kind: calendar", "clock-days", ()),
        ("falling ages", "bands: {", "bands: {age: [20, 10], ", "bands-order", ("age",)),
        ("a list in the place of levels", "k: 10", "k: 10\n  levels: 5", "metadata-type", ("levels",)),
        (
            "a text in the place of a list",
            "weekend: [thursday, friday]",
            "weekend: friday",
            "metadata-type",
            ("a list",),
        ),
        ("a floor of one's own", "k: 10", "k: 10\n  floor: [body]", "setting-fixed", ()),
        (
            "unknown dimension",
            "k: 10",
            "k: 10\n  statutory: {dimensions: [outcom]}",
            "statutory-dimension",
            ("outcome",),
        ),
        ("memory of words", "k: 10", "k: 10\n  memory_limit: lots", "memory-limit", ("1200MB",)),
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
    Stop("settings: metadata.yml is a pipe", "table", pipe_for("metadata.yml"), "metadata-syntax", SETTINGS),
    Stop("settings: empty file", "table", content(b"", file="metadata.yml"), "metadata-shape", SETTINGS),
    Stop(
        "services: a mark that is neither true nor false",
        "table",
        content("id,sensitive\npermit,بله\n", file="services.csv"),
        "nodes-sensitive",
        SETTINGS,
        ("row 1",),
    ),
    Stop(
        "services: a Jalali day",
        "table",
        content("id,valid_from\npermit,1404-01-01\n", file="services.csv"),
        "nodes-day",
        SETTINGS,
        ("permit",),
    ),
    Stop(
        "services: a cell of two hundred thousand letters",
        "table",
        content("id,title_en\npermit," + "x" * 200_000, file="services.csv"),
        "no-nodes",
        SETTINGS,
    ),
    Stop("services: a column twice", "table", nodes("title_fa,", "title_en,"), "nodes-column", SETTINGS, ("twice",)),
    Stop("services: an id that leads elsewhere", "table", nodes("renewal,", "../x,"), "nodes-id", SETTINGS),
    Stop("services: no ids", "table", nodes("id,parent", "body,parent"), "nodes-id", SETTINGS, ("row 1",)),
    Stop("services: unknown column", "table", nodes("title_en", "title_de"), "nodes-column", SETTINGS, ("title_en",)),
    Stop("services: too many cells", "table", nodes("Renewal", "Renewal,x"), "nodes-column", SETTINGS),
    Stop("services: an id twice", "table", nodes("renewal,permit", "permit,"), "nodes-twice", SETTINGS, ("permit",)),
    Stop("services: unknown parent", "table", nodes("renewal,permit", "renewal,permitt"), "nodes-parent", SETTINGS),
    Stop("services: a circle", "table", nodes("permit,,", "permit,renewal,"), "nodes-cycle", SETTINGS),
)

STOPS = (*MAPPINGS, *FILES, *DATABASES, *SHARES, *METADATA)
