"""Audit: attack everything that is published together, as an adversary would, and count what is learnt (DESIGN §4, §6).

It stands beside `load`: a release is attacked before it leaves (`Gate`), and everybody can attack a downloaded copy
(`shafaf audit`). It reads published bytes only. Each attacker is a module with one function of one shape:
`attack(evidence, *, seed, attempts) -> Attack`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl.model.late import late

if TYPE_CHECKING:
    from etl.audit.evidence import Evidence, read_evidence
    from etl.audit.finding import Attack, Finding
    from etl.audit.gate import Gate
    from etl.audit.page import audit_page
    from etl.audit.run import ATTEMPTS, SEED, Audit, audit, audit_document
    from etl.audit.site import review_site

__all__ = [
    "ATTEMPTS",
    "SEED",
    "Attack",
    "Audit",
    "Evidence",
    "Finding",
    "Gate",
    "audit",
    "audit_document",
    "audit_page",
    "read_evidence",
    "review_site",
]
__getattr__ = late(
    __name__,
    {
        "evidence": ("Evidence", "read_evidence"),
        "finding": ("Attack", "Finding"),
        "gate": ("Gate",),
        "page": ("audit_page",),
        "run": ("ATTEMPTS", "Audit", "SEED", "audit", "audit_document"),
        "site": ("review_site",),
    },
)
