"""The tour of docs/tour.md and docs/tour.fa.md: one invented case from the desk to a figure, with real output (`make docs`).

A deterministic office is made, extracted, released, moved on by a month and released again in a temporary folder; every
block of the two pages is what the databases, files and pages then hold. The texts around the blocks stand in
`tour.en.md` and `tour.fa.md` beside this module, with `{{block}}` where a block goes.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from urllib.parse import parse_qsl

import duckdb

from etl import pipeline
from etl.demo import advance_office, make_office
from etl.extract import ExtractReport
from etl.extract.keys import Hasher
from etl.instance import Instance
from etl.load import build_database
from portal.body_facts import bands_of, read_body
from portal.catalogue import load_queries
from portal.facts import read_facts
from portal.released import open_released
from portal.scope import find_scopes
from portal.sentence import tell
from portal.words import Words
from tests.docs.story import STORY

PROJECT = Path(__file__).resolve().parents[2]
PAGES = {"en": PROJECT / "docs" / "tour.md", "fa": PROJECT / "docs" / "tour.fa.md"}
UNTIL, MONTHS, CASES = "1405-05", 14, 20_000
SECRET = "0123456789abcdef" * 4  # of this throw-away office only: equal keys on every machine
BODY, CASE_TYPE = "shahrdari", "service"
MASK = "█████"
_MARKED = re.compile(r"^\s+(\w+) text,?\s+-- !", re.MULTILINE)


@dataclass(frozen=True)
class Office:
    """The instance after two runs, and what its two extractions said."""

    instance: Instance
    first: ExtractReport
    second: ExtractReport

    @property
    def database(self) -> Path:
        """The newest published database."""
        return max(self.instance.datasets.glob("portal-*.db"))


@dataclass(frozen=True)
class Chosen:
    """The case that the tour follows: its numbers in both systems, its key, its group."""

    request_id: int
    dossier_id: int
    case_key: str
    group_id: int
    release_id: str


@contextmanager
def make_tour_office() -> Iterator[Office]:
    """Make the office, run it, let a month pass and run again; gone afterwards. About 25 s of one core."""
    with tempfile.TemporaryDirectory(prefix="shafaf-tour-") as name:
        root = Path(name)
        for part in ("metadata.yml", "services.csv", "units.csv"):
            shutil.copy(PROJECT / part, root)
        shutil.copytree(PROJECT / "sources", root / "sources")
        instance = Instance(root)
        instance.private_folder("tmp")
        (instance.var / "secret").write_text(SECRET, encoding="ascii")
        make_office(instance.office, until=UNTIL, months=MONTHS, cases=CASES)
        first = pipeline.run_extract(instance)
        pipeline.run_release(instance)
        advance_office(instance.office)
        second = pipeline.run_extract(instance)
        pipeline.run_release(instance)
        build_database(instance)
        yield Office(instance, first, second)


def tour_pages() -> dict[str, str]:
    """Give both pages, by language."""
    with make_tour_office() as office:
        case = choose_case(office)
        blocks = {**follow_case(office, case), **tell_story(office)}
        pages = {}
        for lang in PAGES:
            text = (Path(__file__).parent / f"tour.{lang}.md").read_text(encoding="utf-8")
            named = {**blocks, "sentence": f"> {told(office, lang)[0]}"}
            pages[lang] = re.sub(r"\{\{(\w+)\}\}", lambda found, named=named: named[found[1]], text)
    return pages


def choose_case(office: Office) -> Chosen:
    """Choose the first case by key that was joined, is shown with all its steps, and has at least eight of them."""
    placement = office.instance.placement / "*.parquet"
    staged = office.instance.staging / "case" / "*" / "*.parquet"
    events = office.instance.staging / "event" / "*" / "*.parquet"
    with closing(sqlite3.connect(office.database)) as database:
        fine = "select case_group_id from case_group where rung_number = 1 and body_id = ? and case_type_code = ?"
        groups = [group for (group,) in database.execute(fine, [BODY, CASE_TYPE])]
    row = duckdb.execute(
        f"""select p.case_key, p.case_group_id, p.release_id
            from '{placement}' p join '{staged}' c using (case_key)
            where p.population_code = 'finished' and list_contains(?, p.case_group_id)
              and c.is_linked and c.batch_id = 1 and not exists (
                select 1 from '{staged}' later where later.case_key = p.case_key and later.batch_id > 1)
              and (select count(*) from '{events}' e where e.case_key = p.case_key) >= 8
            order by p.case_key limit 1""",
        [groups],
    ).fetchone()
    if row is None:
        raise LookupError("the office of the tour has no case to follow")
    hasher = Hasher(SECRET.encode(), "desk")
    with closing(sqlite3.connect(office.instance.office / "desk.db")) as desk:
        ids = desk.execute("select request_id, tracking_code from request").fetchall()
    request_id, code = next((number, code) for number, code in ids if hasher.case_key(str(number)).hex() == row[0])
    with closing(sqlite3.connect(office.instance.office / "automation.db")) as automation:
        letter = automation.execute("select dossier_id from letter where tracking_code = ?", [code]).fetchone()
    return Chosen(request_id, letter[0], *row)


def follow_case(office: Office, case: Chosen) -> dict[str, str]:
    """Make the blocks of the case, from raw rows to its line in the released file and the figure."""
    instance = office.instance
    address = told(office, "en")[1]
    name, asked = address.removeprefix("/data/portal/").split("?", 1)
    figure = load_queries()[name]
    return {
        "desk_row": _raw_row(instance, "desk", f"select * from request where request_id = {case.request_id}"),
        "applicant_row": _raw_row(
            instance,
            "desk",
            f"select a.* from applicant a join request r using (applicant_id) where r.request_id = {case.request_id}",
        ),
        "letter_row": _raw_row(
            instance,
            "automation",
            f"select l.* from letter l join dossier d using (letter_id) where d.dossier_id = {case.dossier_id}",
        ),
        "desk_steps": _raw_rows(instance, "desk", f"select * from request_step where request_id = {case.request_id}"),
        "referrals": _raw_rows(instance, "automation", f"select * from referral where dossier_id = {case.dossier_id}"),
        "staged_row": _staged_row(instance, case),
        "timeline": _timeline(instance, case),
        "group": _ask(office, f"select * from case_group where case_group_id = {case.group_id}", tall=True),
        "steps": _ask(
            office,
            "select step_number, activity_code, unit_id, since_start_median_days, since_previous_median_days "
            f"from case_group_step where case_group_id = {case.group_id} order by step_number",
        ),
        "csv_line": _csv_line(instance, case),
        "figure_sql": f"```sql\n{figure.sql}\n```",
        "figure": _ask(office, figure.sql, dict(parse_qsl(asked))),
        "figure_address": f"`{address}`",
        "searched": _search(office, case),
        "case_release": case.release_id,
    }


def tell_story(office: Office) -> dict[str, str]:
    """Run the statement of each item of the story where it belongs: on what is published, or inside the body."""
    blocks = {}
    for item in STORY:
        if item.place == "published":
            table = _ask(office, item.sql)
        elif item.place == "office":
            table = _ask_office(office.instance, item.sql)
        else:
            found = duckdb.execute(item.sql.replace("'var/", f"'{office.instance.var}/"))
            table = _table([part[0] for part in found.description], found.fetchall())
        blocks[item.name] = f"```sql\n{item.sql.strip()}\n```\n\n{table}"
    joined = office.second.linkage.joined
    blocks["linkage"] = (
        f"{joined.desk_requests:,} requests at the desk = {joined.followed:,} followed into the automation "
        f"+ {joined.desk_requests - joined.followed:,} not followed"
    )
    return blocks


def told(office: Office, lang: str) -> tuple[str, str]:
    """Give the sentence that the body's page leads with, without its markup, and the address of the figure behind it."""
    with open_released(office.instance.datasets) as released:
        facts = read_facts(released.meta)
        words = Words(lang, facts.system)
        scope = next(part for part in find_scopes(released)[BODY] if part.case_type == CASE_TYPE)
        body = read_body(released, scope, facts=facts, bands=bands_of(released))
        text = tell(body.finding, words, facts, case_type=CASE_TYPE)
    return re.sub(r"<[^>]+>", "", str(text)), body.addresses[body.finding.query]


def _raw_row(instance: Instance, system: str, sql: str) -> str:
    names, rows = _raw(instance, system, sql)
    return _table(["column", "value"], list(zip(names, rows[0], strict=True)))


def _raw_rows(instance: Instance, system: str, sql: str) -> str:
    return _table(*_raw(instance, system, sql))


def _raw(instance: Instance, system: str, sql: str) -> tuple[list[str], list[list[object]]]:
    """Read rows of the office with every column that identifies a person masked."""
    marked = _identities(system)
    with closing(sqlite3.connect(instance.office / f"{system}.db")) as database:
        found = database.execute(sql)
        names = [part[0] for part in found.description]
        rows = [
            [MASK if name in marked and value is not None else value for name, value in zip(names, row, strict=True)]
            for row in found
        ]
    return names, rows


def _identities(system: str) -> frozenset[str]:
    return frozenset(_MARKED.findall(files("etl.demo").joinpath(f"{system}.sql").read_text(encoding="utf-8")))


def _staged_row(instance: Instance, case: Chosen) -> str:
    row = _staged(instance, "case", case)[0]
    return _table(["column", "value"], [pair for pair in row.items() if pair[1] is not None])


def _staged(instance: Instance, table: str, case: Chosen) -> list[dict[str, object]]:
    sql = f"select * from '{instance.staging}/{table}/*/*.parquet' where case_key = ?"
    return duckdb.execute(sql, [case.case_key]).to_arrow_table().to_pylist()


def _timeline(instance: Instance, case: Chosen) -> str:
    found = duckdb.execute(
        f"""select seq, occurred_on, activity_code, milestone_code, from_unit_id, to_unit_id
            from '{instance.staging}/event/*/*.parquet' where case_key = ? order by batch_id, seq""",
        [case.case_key],
    )
    return _table([part[0] for part in found.description], found.fetchall())


def _ask(office: Office, sql: str, values: Mapping[str, object] | None = None, *, tall: bool = False) -> str:
    with closing(sqlite3.connect(f"{office.database.as_uri()}?mode=ro", uri=True)) as database:
        found = database.execute(sql, values or {})
        names = [part[0] for part in found.description]
        rows = found.fetchall()
    if tall:
        return _table(["column", "value"], [pair for pair in zip(names, rows[0], strict=True) if pair[1] is not None])
    return _table(names, rows)


def _ask_office(instance: Instance, sql: str) -> str:
    with closing(sqlite3.connect(instance.office / "desk.db")) as desk:
        desk.execute("attach ? as automation", [str(instance.office / "automation.db")])
        found = desk.execute(sql)
        return _table([part[0] for part in found.description], found.fetchall())


def _csv_line(instance: Instance, case: Chosen) -> str:
    path = instance.releases / case.release_id / "case_group.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        lines = file.read().splitlines()
    place = next(csv.reader(io.StringIO(lines[0]))).index("case_group_id")
    line = next(line for line in lines[1:] if line.split(",")[place] == str(case.group_id))
    return f"```\n{lines[0]}\n{line}\n```"


def _search(office: Office, case: Chosen) -> str:
    """Look for every marked value of the case in its staged rows, in every released file and in the database."""
    instance = office.instance
    values = set()
    queries = {
        "desk": (
            f"select * from request where request_id = {case.request_id}",
            f"select * from applicant where applicant_id = "
            f"(select applicant_id from request where request_id = {case.request_id})",
            f"select * from request_step where request_id = {case.request_id}",
            f"select * from notice where request_id = {case.request_id}",
        ),
        "automation": (
            f"select * from letter where dossier_id = {case.dossier_id}",
            f"select * from referral where dossier_id = {case.dossier_id}",
        ),
    }
    for system, statements in queries.items():
        marked = _identities(system)
        with closing(sqlite3.connect(instance.office / f"{system}.db")) as database:
            database.row_factory = sqlite3.Row
            rows = [row for statement in statements for row in database.execute(statement)]
        values |= {str(row[name]) for row in rows for name in marked & set(row.keys()) if row[name] is not None}
    places = {"its staged rows": [_staged_text(instance, case)]}
    places["every file of every release"] = [gzip.decompress(p.read_bytes()) for p in instance.releases.rglob("*.gz")]
    places["the published database"] = [office.database.read_bytes()]
    rows = [
        (place, len(texts), len(values), sum(value.encode() in text for value in values for text in texts))
        for place, texts in places.items()
    ]
    return _table(["searched", "files", "values", "found"], rows)


def _staged_text(instance: Instance, case: Chosen) -> bytes:
    return repr([_staged(instance, table, case) for table in ("case", "event")]).encode()


def _table(names: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    head = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    return "\n".join([*head, *(f"| {' | '.join(_cell(value) for value in row)} |" for row in rows)])


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:g}"
    return " ".join(str(value).replace("|", "\\|").split())


def write_tour() -> None:
    """Write both pages."""
    for lang, text in tour_pages().items():
        PAGES[lang].write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_tour()
    print("written: docs/tour.md, docs/tour.fa.md", file=sys.stderr)
