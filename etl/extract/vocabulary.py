"""Which codes a staging column may hold, and codes made of names by rule (`code = "slug"`).

Closed lists are `etl.model.codes`, the shipped lists and the instance's own codes, bodies, services and units. A column
without a list takes any ASCII snake_case code. Names behind slugs are public by declaration of the mapping: they are
kept as labels (list, code, title, lang).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

from etl.errors import SettingsError, nearest
from etl.extract.mapping import SourceMap
from etl.extract.spelling import fixed_codes
from etl.metadata import Policy, code_rows
from etl.model import codes
from etl.model.text import fold, has_bidi_control, slug

LIST_OF = {
    "case_type_code": "case_type",
    "body_id": "body",
    "unit_id": "unit",
    "from_unit_id": "unit",
    "to_unit_id": "unit",
    "service_id": "service",
    "channel_code": "channel",
    "applicant_kind_code": "applicant_kind",
    "applicant_province_code": "applicant_province",
    "track_code": "track",
    "status_code": "status",
    "outcome_code": "outcome",
    "complaint_ground_code": "complaint_ground",
    "reason_code": "reason",
    "letter_direction_code": "letter_direction",
    "exemption_code": "exemption",
    "activity_code": "activity",
    "milestone_code": "milestone",
    "time_source_code": "time_source",
}
CLOSED = {  # lists that no settings add to
    "case_type": codes.CASE_TYPES,
    "channel": codes.CHANNELS,
    "applicant_kind": codes.APPLICANT_KINDS,
    "status": codes.STATUSES,
    "outcome": codes.OUTCOMES,
    "milestone": codes.MILESTONES,
    "time_source": codes.TIME_SOURCES,
}
MOST_TOLD = 20  # codes of a list that a message names
LONGEST_NAME = 300  # letters; a longer text is no name but something that somebody wrote
_FORMULA = ("=", "+", "-", "@")
_CODE = re.compile(r"[a-z0-9][a-z0-9_]{0,199}")
_DASH = re.compile(r"\s*[-\u2010-\u2015\u2212]+\s*")


@dataclass(frozen=True)
class Label:
    """The source's own public name of a code."""

    list_code: str
    code: str
    title: str
    lang: str


class Vocabulary:
    """The codes an instance knows, list by list."""

    def __init__(self, policy: Policy) -> None:
        """Join the closed lists of the model with those of the instance."""
        lists: dict[str, set[str]] = {name: set(known) for name, known in CLOSED.items()}
        for row in code_rows(policy):
            if (row.list_code, row.code) != ("activity", codes.GAP):  # a word of what is published, never of a source
                lists.setdefault(row.list_code, set()).add(row.code)
        lists.setdefault("outcome", set()).difference_update({"positive", "negative"})
        for name, nodes in (("service", policy.services), ("unit", policy.units)):
            if nodes:
                lists[name] = {node.id for node in nodes} | {codes.NOT_RECORDED}
        if policy.bodies and not policy.bodies_from_source:
            lists["body"] = {body.id for body in policy.bodies}
        self._lists = lists

    def knows(self, list_code: str, code: str) -> bool:
        """Say whether a column of the list may hold the code."""
        known = self._lists.get(list_code)
        return code in known if known is not None else bool(_CODE.fullmatch(code))

    def check(self, source: SourceMap) -> None:
        """Check every code that a mapping itself writes; SettingsError naming the nearest known one."""
        for table in (source.case, source.event):
            for column, how in table.items():
                if how.constant is not None:
                    self._check(source, LIST_OF.get(column, column), how.constant, f"the constant {column}")
                for code in fixed_codes(source.map.get(how.map, {})) if column in LIST_OF else ():
                    self._check(source, LIST_OF[column], code, f"[map.{how.map}]")
        for code in [*source.milestone.values(), *(event.milestone for event in source.date_events)]:
            if code:
                self._check(source, "milestone", code, "a milestone")

    def _check(self, source: SourceMap, list_code: str, code: str, place: str) -> None:
        if not self.knows(list_code, code):
            known = sorted(self._lists.get(list_code, ()))
            names = f": {', '.join(known)}" if 0 < len(known) <= MOST_TOLD else ""
            raise SettingsError(
                "source-unknown-code",
                found=f"the code {code!r} in {place} of sources/{source.name}/source.toml",
                expected=f"a code of the list {list_code!r}{names}",
                todo=f"Nearest: {nearest(code, known)}." if known else "Write an ASCII snake_case code.",
            )


@dataclass
class SlugCodes:
    """Codes by rule for the names of one list: the slug of the whole name, a suffix where two names share it.

    Names that differ only in dashes, spaces, digits' script or case are one name. A clash never renames a code that was
    given before: `known` maps earlier names to their codes.
    """

    list_code: str
    lang: str
    known: Mapping[str, str] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)

    def token(self, name: str) -> str:
        """Remember a name and give its key, equal for spellings of one name; `codes` says the code of each key."""
        key = name_key(name)
        title = " ".join(name.split())
        if key not in self.titles or title < self.titles[key]:
            self.titles[key] = title
        return key

    def codes(self) -> dict[str, str]:
        """Give the code of every remembered key; depends on the set of names, not on their order."""
        given = {key: self.known[key] for key in self.titles if key in self.known}
        taken = set(self.known.values())
        for key in sorted(self.titles.keys() - given.keys()):
            base = slug(self.titles[key])[:180]
            code = base or f"n_{_suffix(key)}"
            if code in taken:
                code = f"{code}_{_suffix(key)}"
            given[key] = code
            taken.add(code)
        return given

    def labels(self) -> list[Label]:
        """List the public names with their codes."""
        return [Label(self.list_code, code, self.titles[key], self.lang) for key, code in sorted(self.codes().items())]


class SlugBook:
    """The names behind slugs of every list, over all sources of a run and all earlier runs."""

    def __init__(self, known: Iterable[Label]) -> None:
        """Start from the labels of earlier runs, whose codes never change."""
        self._known = tuple(known)
        self._lists: dict[str, SlugCodes] = {}

    def of(self, list_code: str, lang: str) -> SlugCodes:
        """Give the codes of one list; `lang` is that of the first source that names it."""
        if list_code not in self._lists:
            known = {name_key(label.title): label.code for label in self._known if label.list_code == list_code}
            self._lists[list_code] = SlugCodes(list_code, lang, known)
        return self._lists[list_code]

    def take_in(self, other: SlugBook) -> None:
        """Remember the names that another process read."""
        for slugs in other._lists.values():
            mine = self.of(slugs.list_code, slugs.lang)
            for title in slugs.titles.values():
                mine.token(title)

    def codes(self) -> list[tuple[str, str, str]]:
        """List (list, key, code) of every name seen in this run."""
        return [(name, key, code) for name, slugs in self._lists.items() for key, code in slugs.codes().items()]

    def all_codes(self) -> list[tuple[str, str, str]]:
        """List (list, key, code) of every name, of earlier runs too."""
        known = {(label.list_code, name_key(label.title)): label.code for label in self._known}
        found = known | {(name, key): code for name, key, code in self.codes()}
        return [(name, key, code) for (name, key), code in found.items()]

    def labels(self) -> list[Label]:
        """List every public name so far, of earlier runs too, by list and code."""
        new = [label for slugs in self._lists.values() for label in slugs.labels()]
        known = {(label.list_code, label.code): label for label in self._known}
        merged = {(label.list_code, label.code): label for label in new} | known
        return [merged[key] for key in sorted(merged)]


def name_key(name: str) -> str:
    """Reduce a name to what its spellings share.

    >>> name_key("ABC –  Agência") == name_key("abc - Agência")
    True
    """
    return fold(_DASH.sub(" - ", name))


def is_fit_name(name: str) -> bool:
    """Say whether a source's name may be published as a label: short, without control characters and formulas.

    >>> is_fit_name("Fundação – SP"), is_fit_name("=1+1"), is_fit_name("a\u202eb"), is_fit_name("x" * 301)
    (True, False, False, False)
    """
    is_formula = name.strip().startswith(_FORMULA)
    has_control = any(unicodedata.category(letter) == "Cc" and not letter.isspace() for letter in name)
    return len(name) <= LONGEST_NAME and not is_formula and not has_control and not has_bidi_control(name)


def _suffix(key: str) -> str:
    return blake2b(key.encode(), digest_size=4).hexdigest()
