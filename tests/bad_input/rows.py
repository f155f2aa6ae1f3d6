"""Inputs that put rows into quarantine, and strange inputs that must be understood."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.bad_input.bends import CASES, COLUMNS, Bend, both, cell, content, days, packed, recode, sql, swap

GREGORIAN = swap('kind = "table"', 'kind = "table"\ncalendar = "gregorian"')


@dataclass(frozen=True)
class Held:
    """One bad row: how it comes, the value that nobody may see again, and the reasons counted."""

    name: str
    flavour: str
    bend: Bend
    reasons: dict[str, int]
    value: str = ""
    quarantined: int = 1  # of three cases


@dataclass(frozen=True)
class Understood:
    """One strange input that is right: the values that staging must hold."""

    name: str
    flavour: str
    bend: Bend
    case: dict[str, object] = field(default_factory=dict)  # of some case, column by column
    read: int = 3


def _cell(name: str, column: str, value: str, reason: str) -> Held:
    return Held(name, "table", cell(column, value), {reason: 1}, value)


def _day(name: str, form: str, good: str, bad: str) -> Held:
    return Held(name, "table", both(GREGORIAN, days(form, good, bad, good)), {"impossible_date": 1}, bad)


CELLS = (
    _cell("unknown code", "channel", "CANARY-pigeon", "unknown_code"),
    _cell("mojibake", "result", "انجام شد".encode().decode("latin-1").replace("\x85", ""), "unknown_code"),
    _cell("NUL byte", "channel", "وب\0CANARY", "unknown_code"),
    _cell("formula", "channel", "=1+CANARY", "unknown_code"),
    _cell("a cell of a hundred thousand letters", "channel", "CANARY" * 17_000, "unknown_code"),
    _cell("unknown body", "org", "CANARY-9", "unknown_code"),
    _cell("no body", "org", "", "missing_value"),
    Held("no id", "table", cell("id", "-"), {"missing_value": 3}),  # the case, and the events of its two dates
    _cell("no first day", "registered", "", "missing_value"),
    _cell("no number", "score", "CANARY-five", "bad_number"),
    _cell("half a number", "score", "4.5", "bad_number"),
    _cell("number too large", "score", "99999999", "bad_number"),
    _cell("30 Esfand of a common year", "registered", "1402/12/30", "impossible_date"),
    _cell("31 Mehr", "registered", "1404/07/31", "impossible_date"),
    _cell("month 13", "closed", "1404/13/01", "impossible_date"),
    _cell("day zero", "closed", "1404/05/00", "impossible_date"),
    _cell("two digits for a year", "closed", "04/05/11", "impossible_date"),
    _cell("Gregorian in a Jalali column", "registered", "2025/07/23", "impossible_date"),
    _cell("words for a day", "registered", "CANARY yesterday", "impossible_date"),
    _cell("hour 25", "closed", "1404/05/11 25:00", "impossible_date"),
    _cell("day before month", "closed", "11/05/1404", "impossible_date"),
    _cell("closed before created", "closed", "1404/04/31", "ends_before_start"),
    Held("closed after the snapshot", "table", cell("closed", "1405/01/20"), {"after_snapshot": 2}),
    Held("an id twice", "table", cell("id", "CANARY-1"), {"duplicate_key": 2}, quarantined=2),
    _day("Jalali in a Gregorian column", "%Y-%m-%d", "2025-07-23", "1404-05-01"),
    _day("30 February", "%Y-%m-%d", "2025-07-23", "2025-02-30"),
    _day("29 February of a common year", "%Y-%m-%d", "2024-02-29", "2023-02-29"),
    _day("placeholder of a spreadsheet", "%Y-%m-%d", "2025-07-23", "1899-12-30"),
    _day("placeholder for never", "%Y-%m-%d", "2025-07-23", "9999-12-31"),
    _day(
        "day first in a month-first column", "%m/%d/%Y %I:%M:%S %p", "07/23/2025 01:00:00 PM", "23/07/2025 01:00:00 PM"
    ),
    _day("a number that is two days", "%Y%m%d", "20250723", "2025111"),
    _day("no AM/PM", "%m/%d/%Y %I:%M:%S %p", "07/23/2025 01:00:00 PM", "07/23/2025 13:00:00"),
    _day("a time that Tehran's clocks jumped over", "%Y-%m-%d %H:%M", "2022-03-22 01:00", "2022-03-22 00:30"),
)
EVENTS = (
    Held("rows of one case disagree", "events", cell("channel", "كتبی", row=3), {"attribute_conflict": 1}),
    Held("event without activity", "events", cell("activity", "", row=3), {"missing_value": 1, "event_rejected": 1}),
    Held(
        "event on no day",
        "events",
        cell("at", "1404/07/31 10:00", row=3),
        {"impossible_date": 1, "event_rejected": 1},
        "1404/07/31",
    ),
    Held(
        "event after the snapshot",
        "events",
        cell("at", "1405/07/30 10:00", row=3),
        {"after_snapshot": 1, "event_rejected": 1},
    ),
    Held(
        "event with an unknown code",
        "events",
        cell("activity", "CANARY leave", row=3),
        {"unknown_code": 1, "event_rejected": 1},
    ),
    Held("event row without id", "events", cell("id", "", row=3), {"missing_value": 1}, quarantined=0),
    Held(
        "event without case",
        "database",
        sql("insert into events values ('CANARY-9', 'enter', '1404/05/01')"),
        {"event_without_case": 1},
        quarantined=0,
    ),
    Held(
        "event of a case that is broken",
        "database",
        sql("update cases set org = 'CANARY' where id = 'CANARY-2'"),
        {"unknown_code": 1},
    ),
    Held(
        "number for a code",
        "database",
        sql("update cases set channel = 12345678 where id = 'CANARY-2'"),
        {"unknown_code": 1},
        "12345678",
    ),
    Held(
        "bytes for a code",
        "database",
        sql("update cases set channel = x'43414e415259' where id = 'CANARY-2'"),
        {"unknown_code": 1},
    ),
    Held(
        "finished without a date",
        "database",
        both(
            swap('score = "score"', 'status_code = { column = "note", map = "status" }\nscore = "score"'),
            swap("[map.org]", '[map.status]\n"open" = "in_progress"\n"done" = "closed"\n[map.org]'),
            sql("update cases set note = 'open', closed = ''", "update cases set note = 'done' where id = 'CANARY-2'"),
        ),
        {"finished_without_date": 1},
    ),
    Held(
        "a name that is no name",
        "table",
        both(
            swap(
                '{ column = "channel", map = "channel" }',
                '{ column = "channel", map = "channel" }\nreason_code = { column = "note", code = "slug" }',
            ),
            recode(lambda data: data.replace(b"CANARY-note", b"reason")),
            cell("note", "CANARY\u202e"),
        ),
        {"unfit_name": 1},
    ),
    Held(
        "a letter where a name is expected",
        "table",
        both(
            swap(
                '{ column = "channel", map = "channel" }',
                '{ column = "channel", map = "channel" }\nreason_code = { column = "note", code = "slug" }',
            ),
            recode(lambda data: data.replace(b"CANARY-note", b"reason")),
            cell("note", "Dear Sir CANARY " * 30),
        ),
        {"unfit_name": 1},
    ),
)
HELD = (*CELLS, *EVENTS)


def _declared(key: str, value: str) -> Bend:
    return swap('kind = "table"', f'kind = "table"\n{key} = "{value}"')


_FROM_EVENTS = recode(
    lambda data: b"\n".join(
        b",".join([cells[0], *([b""] * 8), *cells[9:]]) if number and not number % 2 else line
        for number, line in enumerate(data.split(b"\n"))
        for cells in [line.split(b",")]
    ).replace("عادی".encode(), "عادی".encode())
)

UNDERSTOOD = (
    Understood(
        "Arabic yeh and kaf", "table", both(cell("channel", "كتبي"), cell("class", "عادي")), {"channel_code": "post"}
    ),
    Understood(
        "Persian yeh and kaf for Arabic ones in the map", "table", cell("channel", "کتبی"), {"channel_code": "post"}
    ),
    Understood("a half-space inside a code", "table", cell("channel", "میز  خد\u200cمت"), {"channel_code": "desk"}),
    Understood("direction controls around a code", "table", cell("channel", "\u202bوب\u202c"), {"channel_code": "web"}),
    Understood(
        "Persian digits", "table", both(cell("org", "۳۰۰۲"), cell("registered", "۱۴۰۴/۰۵/۰۱")), {"body_id": "abfa"}
    ),
    Understood(
        "Arabic digits",
        "table",
        both(cell("org", "٣٠٠٢"), cell("score", "٤"), cell("closed", "١٤٠٤/٠٥/١١")),
        {"score": 4},
    ),
    Understood("30 Esfand of a leap year", "table", cell("registered", "1403/12/30"), {"registered_on": "2025-03-20"}),
    Understood(
        "unpadded day with a time", "table", cell("registered", "1404/5/1 9:05"), {"registered_on": "2025-07-23"}
    ),
    Understood(
        "month first with AM/PM",
        "table",
        both(GREGORIAN, days("%m/%d/%Y %I:%M:%S %p", *["07/04/2025 11:30:00 PM"] * 3)),
        {"registered_on": "2025-07-04"},
    ),
    Understood(
        "a time that Tehran had twice",
        "table",
        both(GREGORIAN, days("%Y-%m-%d %H:%M", *["2022-09-21 23:30"] * 3)),
        {"registered_on": "2022-09-21"},
    ),
    Understood(
        "names with blanks, marks and an Arabic letter",
        "table",
        both(
            swap('case_ref = "id"', 'case_ref = "شماره پرونده"'),
            recode(lambda data: data.replace(b"id,class", "\u200f شماره\u00a0پروندة ,CLASS".encode(), 1)),
        ),
    ),
    Understood(
        "several files by a pattern, one open in Excel",
        "table",
        both(
            swap("rows.csv", "*rows*.csv"),
            content(f"{','.join(COLUMNS)}\nCANARY-more,{','.join(CASES[0][1:])}\n", file="more-rows.csv"),
            content(b"\0", file="~$rows.csv"),
        ),
        read=4,
    ),
    Understood("lines that end as on an old Mac", "table", recode(lambda data: data.replace(b"\n", b"\r"))),
    Understood(
        "byte order mark in every file of the instance",
        "table",
        both(
            *(swap("", "\ufeff", file=name) for name in ("metadata.yml", "services.csv", "sources/office/source.toml"))
        ),
    ),
    Understood("byte order mark", "table", recode(lambda data: b"\xef\xbb\xbf" + data)),
    Understood(
        "CRLF and an empty line at the end", "table", recode(lambda data: data.replace(b"\n", b"\r\n") + b"\r\n")
    ),
    Understood("a line break in a quoted cell", "table", cell("note", '"CANARY\n""and""\nmore"')),
    Understood("gzip under another name", "table", packed()),
    Understood(
        "CP1256, declared",
        "table",
        both(
            _declared("encoding", "windows-1256"), recode(lambda data: data.decode().replace("ی", "ي").encode("cp1256"))
        ),
    ),
    Understood(
        "UTF-16, declared",
        "table",
        both(_declared("encoding", "utf-16"), recode(lambda data: data.decode().encode("utf-16"))),
    ),
    Understood("UTF-16 by its mark, undeclared", "table", recode(lambda data: data.decode().encode("utf-16"))),
    Understood(
        "a file with its mark beside one in the declared encoding",
        "table",
        both(
            _declared("encoding", "windows-1256"),
            swap("rows.csv", "*rows*.csv"),
            recode(lambda data: data.decode().replace("ی", "ي").encode("cp1256")),
            content(
                f"{','.join(COLUMNS)}\nCANARY-more,{','.join(CASES[0][1:])}\n".encode("utf-16"), file="more-rows.csv"
            ),
        ),
        read=4,
    ),
    Understood(
        "a row of totals, left out",
        "table",
        both(
            swap("[limits]", '[leave_out]\ncolumn = "id"\nvalues = ["re:^جمع"]\n[limits]'),
            recode(lambda data: data + "جمع كل,عادی,,,,,,3,\n".encode()),
        ),
    ),
    Understood(
        "midnight of a day on which Tehran's clocks jumped over it",
        "table",
        both(GREGORIAN, days("%Y-%m-%d %H:%M", *["2022-03-22 00:00"] * 3)),
        {"registered_on": "2022-03-22"},
    ),
    Understood(
        "days as numbers",
        "table",
        days("jalali:%Y%m%d", *["14040501"] * 3),
        {"registered_on": "2025-07-23"},
    ),
    Understood(
        "semicolons, declared",
        "table",
        both(_declared("delimiter", ";"), recode(lambda data: data.replace(b",", b";"))),
    ),
    Understood(
        "tabs, declared", "table", both(_declared("delimiter", r"\t"), recode(lambda data: data.replace(b",", b"\t")))
    ),
    Understood(
        "a column that the mapping does not name, twice",
        "table",
        recode(lambda data: data.replace(b"\n", b",x\n").replace(b"note,x", b"note,note", 1)),
    ),
    Understood("a class that is missing", "table", cell("class", ""), read=2),
    Understood("a class in mojibake", "table", cell("class", "Ø¹Ø§Ø¯"), read=2),
    Understood("a space for nothing", "table", cell("channel", " "), {"channel_code": "not_recorded"}),
    Understood(
        "attributes only on the first event",
        "events",
        both(
            swap('column = "class"\nmap = { "عادی" = "normal" }', 'constant = "normal"\nwhy = "a test"'), _FROM_EVENTS
        ),
        {"channel_code": "web"},
    ),
    Understood(
        "events in no order",
        "events",
        recode(lambda data: b"\n".join([data.split(b"\n")[0], *data.split(b"\n")[-2:0:-1]]) + b"\n"),
    ),
)
