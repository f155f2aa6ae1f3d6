"""What an instance says of itself in table `meta`: title, licence, k, calendar and the legal clocks. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    """A legal deadline as pages tell it: `days` of `kind` (working, calendar, promised) counted from `start`."""

    days: int
    kind: str
    start: str

    @property
    def is_fixed(self) -> bool:
        """Say whether the deadline is one number of days for every case."""
        return self.days > 0 and self.kind in ("working", "calendar")


@dataclass(frozen=True)
class Facts:
    """The instance: titles and source by language, licence, k, calendar, days to settle, headline and law clocks.

    contact: an e-mail address or a web address for corrections; empty where the instance names none.
    """

    title: Mapping[str, str]
    license: str
    source: Mapping[str, str]
    k: int
    system: str
    settle_days: int
    wait_kind: str
    headline: Limit | None
    law: Limit | None
    contact: str = ""

    @property
    def is_iran(self) -> bool:
        """Say whether the articles of the Iranian Act apply (instances that count in Jalali months)."""
        return self.system == "jalali"


def read_facts(meta: Mapping[str, str]) -> Facts:
    """Read the facts from the keys and values of `meta`; what an older database lacks has a plain default."""
    return Facts(
        title={lang: meta.get(f"title_{lang}") or "شفاف" for lang in ("fa", "en")},
        license=meta.get("license", ""),
        source={"en": meta.get("source", ""), "fa": meta.get("source_fa") or meta.get("source", "")},
        k=int(meta.get("k", "10")),
        system=meta.get("calendar_code", "jalali"),
        settle_days=int(meta.get("settle_days", "15")),
        wait_kind=meta.get("wait_day_kind", "working"),
        headline=_limit(meta, meta.get("headline_clock", "bylaw")),
        law=_limit(meta, "law") if meta.get("headline_clock", "bylaw") != "law" else None,
        contact=meta.get("contact", ""),
    )


def _limit(meta: Mapping[str, str], name: str) -> Limit | None:
    kind = meta.get(f"{name}_kind")
    if not kind:
        return None
    return Limit(int(meta.get(f"{name}_days") or 0), kind, meta.get(f"{name}_from") or "registered")
