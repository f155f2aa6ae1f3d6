"""Everything a run publishes is of a kind that an attacker reads, and none of it tells of fewer than k cases."""

from __future__ import annotations

import json

import pytest

from etl import pipeline
from etl.audit import audit, pages, read_evidence
from etl.audit.kinds import unknown_files
from etl.errors import PrivacyError
from etl.instance import Instance
from tests.audit.conftest import learnt
from tests.integration.conftest import Built


def test_a_run_publishes_nothing_of_a_few(built: Built) -> None:
    """Releases, database, pages and figures of a small office, all together: no hit, and no file of an unknown kind."""
    evidence = read_evidence(built.instance.root)
    assert any(name.endswith(".html") for name in evidence.files)
    assert unknown_files(evidence) == frozenset()
    report = audit(evidence, attempts=300)
    assert [finding for attack in report.attacks for finding in attack.findings] == []


def test_a_page_that_says_more_does_not_go_live(twin: Instance) -> None:
    """A number of fewer than k cases on a page stops the build; the site before is served as it was, and the next build heals."""
    settings = (twin.root / "metadata.yml").read_text(encoding="utf-8")
    before = {path: path.read_bytes() for path in twin.public.rglob("*.html")}
    (twin.root / "metadata.yml").write_text(
        settings.replace("title: {fa: ", "title: {fa: ۴ پرونده ", 1), encoding="utf-8"
    )
    with pytest.raises(PrivacyError) as caught:
        pipeline.run_build(Instance(twin.root))
    assert (caught.value.slug, caught.value.exit_code) == ("site-stopped", 20)
    assert {path: path.read_bytes() for path in twin.public.glob("[!.]*/**/*.html")} == before
    (twin.root / "metadata.yml").write_text(settings, encoding="utf-8")
    pipeline.run_build(Instance(twin.root))
    assert {path: path.read_bytes() for path in twin.public.rglob("*.html")} == before


def test_one_number_in_a_built_figure_is_seen(twin: Instance) -> None:
    """A month of an open stock, in the JSON beside a body's page, is one case off."""
    for path in sorted(twin.public.glob("*/en/body/*/*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        values = document["charts"]["stock"]["data"][0]["y"] if "stock" in document["charts"] else []
        small = [place for place, value in enumerate(values) if value and value < 9]
        if small:
            values[small[0]] += 1
            path.write_text(json.dumps(document), encoding="utf-8")
            break
    assert learnt(pages.attack(read_evidence(twin.root), seed=1, attempts=1)) == {"small_count"}
