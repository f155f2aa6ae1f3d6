"""An office that changes step by step, as its two databases tell it: for the law that reading changes equals reading all."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

from tests.extract.conftest import AUTOMATION, DESK, METADATA

FIRST_DAY = date(2025, 8, 1)
CHANGES = '\n[changes]\ncolumn = "changed"\nevent_column = "changed"\norder = "step_no"\noverlap = 1\nfull_days = 900\n'
CASE_COLUMNS = (
    "ref, person, secrecy, received, registered, promised, decided, closed, status, result, parent, unit, "
    "tracking, register, number, changed"
)
STEP_COLUMNS = "ref, step_no, action, at, from_unit, unit, changed"
ACTIONS = {
    "desk": ("received", "notified", "closed"),
    "automation": ("registered", "refer_a", "refer_b", "asked", "signed"),
}
Row = dict[str, Any]


@dataclass
class World:
    """What two systems hold: case rows and steps by source, a clock that every change is marked with, and the day."""

    rnd: Random
    cases: dict[str, list[Row]] = field(default_factory=lambda: {"desk": [], "automation": []})
    steps: dict[str, list[Row]] = field(default_factory=lambda: {"desk": [], "automation": []})
    clock: int = 1_000
    day: int = 0
    count: int = 0

    def write(self, root: Path) -> None:
        """Write both databases and, the first time, the mappings."""
        if not root.exists():
            _write_mappings(root)
        for name in ("desk", "automation"):
            (root / "office" / f"{name}.db").unlink(missing_ok=True)
            with sqlite3.connect(root / "office" / f"{name}.db") as con:
                con.execute("create table meta (value)")
                con.execute("insert into meta values (?)", [f"{self.today}T20:00:00+00:00"])
                for table, columns, rows in (
                    ("subject_row", CASE_COLUMNS, self.cases[name]),
                    ("step", STEP_COLUMNS, self.steps[name]),
                ):
                    names = columns.split(", ")
                    con.execute(f"create table {table} ({columns})")
                    values = [[row.get(column) for column in names] for row in rows]
                    con.executemany(f"insert into {table} values ({', '.join('?' * len(names))})", values)
            con.close()

    @property
    def today(self) -> date:
        """The day the databases stand for."""
        return FIRST_DAY + timedelta(days=self.day)

    def mark(self, row: Row, **values: Any) -> Row:
        """Change a row and say so."""
        self.clock += 1
        row.update(values, changed=f"2025-{self.clock:06}")
        return row

    def add(self, source: str, **values: Any) -> Row:
        """Add a case that began some days ago, with its first steps."""
        self.count += 1
        began = self.today - timedelta(days=self.rnd.randrange(6))
        row = {"ref": f"{source}-{self.count}", "secrecy": "عادی", "registered": str(began)}
        row |= {"received": f"{began} 08:00", "person": f"p{self.rnd.randrange(9)}", "unit": None}
        self.cases[source].append(self.mark(row, **values))
        for _ in range(self.rnd.randrange(4)):
            self.add_step(source, row)
        return row

    def add_step(self, source: str, row: Row) -> None:
        """Add a step to a case, perhaps without a time or at the time of another; the step itself tells of it."""
        own = [step for step in self.steps[source] if step["ref"] == row["ref"]]
        at = None if self.rnd.random() < 0.2 else f"{row['registered']} {self.rnd.choice(('09:00', '10:00'))}"
        action = self.rnd.choice(ACTIONS[source])
        step = {"ref": row["ref"], "step_no": len(own) + 1, "action": action, "at": at, "unit": self.rnd.choice("abc")}
        self.steps[source].append(self.mark(step))

    def drop(self, source: str, row: Row) -> None:
        """Delete a case with all it has; nothing tells of it."""
        self.cases[source] = [each for each in self.cases[source] if each["ref"] != row["ref"]]
        self.steps[source] = [step for step in self.steps[source] if step["ref"] != row["ref"]]

    def pick(self, source: str) -> Row:
        """Pick a case."""
        return self.rnd.choice(self.cases[source])

    def live(self) -> None:
        """Let something happen."""
        self.rnd.choice(HAPPENINGS)(self)


def new_request(world: World) -> None:
    """A request with a tracking code comes to the desk, perhaps about an earlier one."""
    parent = world.pick("desk")["ref"] if world.rnd.random() < 0.3 else None
    world.add("desk", tracking=f"T{world.count}", parent=parent)


def new_letter(world: World) -> None:
    """A letter comes, often late, that names a request of any age; or none, or another letter as its parent."""
    tracking = world.pick("desk").get("tracking") if world.rnd.random() < 0.8 else None
    parent = world.pick("automation")["ref"] if world.rnd.random() < 0.4 else None
    world.add("automation", tracking=tracking, parent=parent, unit=world.rnd.choice((None, "a", "b")))


def rename_letter(world: World) -> None:
    """A letter loses its reference, or gets that of another request."""
    tracking = None if world.rnd.random() < 0.5 else world.pick("desk").get("tracking")
    world.mark(world.pick("automation"), tracking=tracking)


def share_tracking(world: World) -> None:
    """Two requests have one code: their letters fit both."""
    world.mark(world.pick("desk"), tracking=world.pick("desk").get("tracking"))


def change_class(world: World) -> None:
    """A letter becomes classified, or normal again."""
    row = world.pick("automation")
    world.mark(row, secrecy="محرمانه" if row["secrecy"] == "عادی" else "عادی")


def finish(world: World) -> None:
    """A request is decided or closed; sometimes before it began, or on a day that is not there yet."""
    source = world.rnd.choice(("desk", "desk", "automation"))
    row = world.pick(source)
    day = str(date.fromisoformat(row["registered"]) + timedelta(days=world.rnd.choice((-2, 0, 1, 3, 12))))
    status = world.rnd.choice((None, "decided", "closed", "awaiting_applicant"))
    values = {"decided": day, "status": status, "result": "completed"} if source == "desk" else {"registered": day}
    world.mark(row, **values)


def contradict(world: World) -> None:
    """A letter of a decided request is registered after the decision: joined, their dates do not fit together."""
    request = world.pick("desk")
    letter = world.pick("automation")
    day = date.fromisoformat(request["registered"])
    world.mark(request, decided=str(day), status="decided", result="completed")
    world.mark(letter, tracking=request.get("tracking"), registered=str(day + timedelta(days=1)), secrecy="عادی")


def mend(world: World) -> None:
    """A row that may have been broken is set right."""
    world.mark(world.pick("desk"), decided=None, closed=None, status=None, result=None)


def spoil(world: World) -> None:
    """A row gets a code nobody knows, or an impossible date."""
    world.mark(world.pick("desk"), **world.rnd.choice(({"result": "Nonsense!"}, {"promised": "2025-02-31"})))


def step(world: World) -> None:
    """A case goes on; only the step says so."""
    source = world.rnd.choice(("desk", "automation"))
    world.add_step(source, world.pick(source))


def delete(world: World) -> None:
    """A case is deleted, without a word."""
    source = world.rnd.choice(("desk", "automation"))
    if len(world.cases[source]) > 4:
        world.drop(source, world.pick(source))


def double(world: World) -> None:
    """A row stands twice."""
    source = world.rnd.choice(("desk", "automation"))
    world.cases[source].append(world.mark(dict(world.pick(source))))


def orphan(world: World) -> None:
    """A step is written for a case that nobody has."""
    world.count += 1
    world.add_step("automation", {"ref": f"nobody-{world.count}", "registered": str(world.today)})


HAPPENINGS: tuple[Callable[[World], None], ...] = (
    *(new_request, new_letter, new_letter, rename_letter, share_tracking, change_class, finish, contradict, mend, mend),
    *(spoil, step, step, delete, double, orphan),
)


def make_world(seed: int) -> World:
    """Make a world with a few cases in it."""
    world = World(Random(seed))
    for number in range(6):
        world.add("desk", tracking=f"S{number}")
        world.add("automation", tracking=f"S{world.rnd.randrange(8)}")
    return world


def _write_mappings(root: Path) -> None:
    (root / "office").mkdir(parents=True)
    (root / "var").mkdir(mode=0o700)
    (root / "var" / "secret").write_text("7" * 64)
    (root / "metadata.yml").write_text(METADATA, encoding="utf-8")
    automation = AUTOMATION.replace('\nunit_id = "unit"', '\nunit_id = "unit"\nparent_case_key = "parent"')
    for name, text in (("desk", DESK), ("automation", automation)):
        folder = root / "sources" / name
        folder.mkdir(parents=True)
        text = text.replace('kind = "sql"', 'kind = "sql"\ncalendar = "gregorian"')
        text = text.replace("[limits]\nquarantine_share = 0.9", "[limits]\nquarantine_share = 1.0\nshrink_share = 1.0")
        (folder / "source.toml").write_text(text + CHANGES, encoding="utf-8")
        (folder / "case.sql").write_text("select * from subject_row order by rowid -- as they came\n", encoding="utf-8")
        (folder / "event.sql").write_text("select * from step order by ref, step_no", encoding="utf-8")
