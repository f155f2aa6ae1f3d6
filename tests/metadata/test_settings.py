"""Settings: what is wrong is refused in three parts, with the nearest right word; what is right gives a stable policy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from etl.errors import SettingsError
from etl.metadata import load_settings

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def metadata() -> dict[str, Any]:
    """The demo's own metadata.yml as a mapping, for a test to damage."""
    read: dict[str, Any] = yaml.safe_load((PROJECT / "metadata.yml").read_text(encoding="utf-8"))
    return read


def _write(folder: Path, metadata: dict[str, Any]) -> Path:
    (folder / "metadata.yml").write_text(yaml.safe_dump(metadata, allow_unicode=True), encoding="utf-8")
    for name in ("services.csv", "units.csv"):
        if not (folder / name).exists():
            (folder / name).write_bytes((PROJECT / name).read_bytes())
    return folder


def _set(metadata: dict[str, Any], place: str, value: object) -> None:
    *path, last = place.split(".")
    at: Any = metadata["x-shafaf"]
    for name in path:
        at = at[int(name)] if isinstance(at, list) else at[name]
    at[last] = value


@pytest.mark.parametrize(
    ("place", "value", "slug", "named"),
    [
        ("k", 4, "policy-k", "k = 4"),
        ("calendar.system", "jalalli", "calendar-system", "jalali"),
        ("calendar.weekend", ["freitag"], "calendar-weekend", "friday"),
        ("calendar.zone", "Asia/Teheran", "calendar-zone", "Asia/Teheran"),
        ("clocks.headline", "law2", "clock-headline", "law"),
        ("clocks.headline", "law", None, ""),
        ("clocks.law", None, None, ""),
        ("clocks.bylaw", None, "clock-headline", "bylaw"),
        ("clocks.bylaw.kind", "workin", "clock-kind", "working"),
        ("clocks.bylaw.from", "registred", "clock-from", "registered"),
        ("clocks.bylaw.days", 0, "clock-days", "0 days"),
        ("ladder", [], "ladder-length", "0 rungs"),
        ("ladder", [{"outcome": "code"}] * 25, "ladder-length", "25 rungs"),
        ("ladder", [{"outcom": "code"}], "ladder-column", "outcome"),
        ("ladder", [{"service": "leave"}], "ladder-level", "leaf"),
        ("ladder", [{"trace": "patern", "outcome": "code"}], "ladder-level", "pattern"),
        ("patterns", "mind", "patterns", "mined"),
        ("ladder", [{"service": "family"}], "ladder-outcome-last", "rung 1"),
        ("cohorts", {"ladder": []}, "ladder-length", "cohorts"),
        ("cohorts", {"ladder": [{"cohort_stat": "code"}]}, "ladder-column", "cohort_state"),
        ("stock", {"ladder": [{"age": "bnd"}]}, "ladder-level", "band"),
        ("stock", {"ladder": [{}, {"age": "band"}]}, "ladder-rung-idle", "rung 2 of x-shafaf.stock.ladder"),
        ("stock", {"ladder": [{"age": "band"}, {}]}, None, ""),
        ("cohorts", {"ladder": [{"service": "family"}, {"service": "leaf"}]}, "ladder-rung-idle", "rung 2"),
        ("cohorts", {"ladder": [{}]}, None, ""),
        ("ladder", [{}], "ladder-outcome-last", "rung 1"),
        ("ladder", [{"outcome": "code"}, {"outcome": "code", "loop": "flag"}], "ladder-rung-idle", "rung 2"),
        ("ladder", [{"outcome": "parent"}, {"outcome": "code"}], "ladder-rung-idle", "rung 2"),
        ("ladder", [{"outcome": "code", "trace": t} for t in ("milestones", "pattern")], None, ""),
        ("ladder", [{"outcome": "code", "trace": t} for t in ("pattern", "steps")], "ladder-rung-idle", "rung 2"),
        ("ladder", [{"outcome": "code", "unit": "leaf"}, {"outcome": "code", "service": "leaf"}], None, ""),
        ("ladder", {"weights": {"outcome": 3, "service": 2}}, None, ""),
        ("ladder", {"weights": {"outcome": 3, "sevice": 2}}, "ladder-column", "service"),
        ("ladder", {"weights": {"service": 2}}, "ladder-weights", "without outcome"),
        ("ladder", {"weights": {"outcome": 0}}, "ladder-weights", "outcome"),
        ("ladder", {"weights": {"outcome": 3}, "rungs": 25}, "ladder-weights", "25 rungs"),
        ("ladder", {"wieghts": {"outcome": 3}}, "unknown-key", "weights"),
        ("levels.unit", ["leaf", "section", "department"], "ladder-level", "section"),
        ("levels.unit", ["department", "leaf"], "levels-order", "department"),
        ("levels.trace", ["milestones", "steps"], "levels-order", "milestones"),
        ("levels.sevice", ["leaf"], "ladder-column", "service"),
        ("bands.duration", [0, 5, 2], "bands-order", "[0, 5, 2]"),
        ("bands.duration", [0, 5, 20], "bands-limit", "10 days"),
        ("bands.duration_wide", [0, 10, 25], "bands-nest", "[0, 10, 25]"),
        ("bands.duration_wide", [0, 20], "bands-nest", "10"),
        ("bands.duration_wide", [0, 10, 40], None, ""),
        ("sensitive.implies", ["trase"], "sensitive-column", "trace"),
        ("sensitive.coarsen", {"channel": {}}, "sensitive-column", "outcome"),
        ("sensitive.known_to_outsiders", [["servise"]], "sensitive-column", "service"),
        ("sensitive.ordinary", ["complete"], "sensitive-outcome", "completed"),
        ("sensitive.largest_share", 0.2, "sensitive-share", "0.2"),
        ("sensitive.services", ["wellfare"], "sensitive-service", "welfare"),
        ("statutory.case_types", ["fio"], "case-type", "foi"),
        ("margins.join_small", {"inquiry": "othr"}, "case-type", "other"),
        ("cadens", {}, "unknown-key", "cadence"),
        ("cadence.mounth", 3, "unknown-key", "month"),
        ("k", "ten", "metadata-type", "k"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_name(
    tmp_path: Path, metadata: dict[str, Any], place: str, value: object, slug: str | None, named: str
) -> None:
    """Each damaged key gives the documented slug and names the place or the nearest known word."""
    _set(metadata, place, value)
    folder = _write(tmp_path, metadata)
    if slug is None:
        assert load_settings(folder).policy.k == 10
        return
    with pytest.raises(SettingsError) as caught:
        load_settings(folder)
    assert caught.value.slug == slug
    assert named in str(caught.value)
    assert caught.value.todo


@pytest.mark.parametrize(
    ("file", "text", "slug"),
    [
        ("services.csv", "id,parent\na,b\nb,a\n", "nodes-cycle"),
        ("services.csv", "id,parent\na,\na,\n", "nodes-twice"),
        ("services.csv", "id,parent\na,wellfare\n", "nodes-parent"),
        ("units.csv", "id,parrent\na,\n", "nodes-column"),
    ],
)
def test_a_tree_that_is_none_is_refused(
    tmp_path: Path, metadata: dict[str, Any], file: str, text: str, slug: str
) -> None:
    """Services and units must be a tree of known columns, each id once."""
    metadata["x-shafaf"]["sensitive"]["services"] = []
    (tmp_path / file).write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_settings(_write(tmp_path, metadata))
    assert caught.value.slug == slug


@pytest.mark.parametrize(
    ("content", "slug"),
    [
        (b"x-shafaf: [", "metadata-syntax"),
        (b"\xff\xfe\x00", "metadata-syntax"),
        (b"title: a", "metadata-shape"),
        (b"", "metadata-shape"),
    ],
)
def test_a_file_that_is_no_metadata_is_refused(tmp_path: Path, content: bytes, slug: str) -> None:
    """Broken YAML, another encoding and a file without our keys are told apart from a missing one."""
    (tmp_path / "metadata.yml").write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        load_settings(tmp_path)
    assert caught.value.slug == slug


def test_a_folder_without_metadata_is_no_instance(tmp_path: Path) -> None:
    """The error names the folder and the option that names another."""
    with pytest.raises(SettingsError, match="--portal"):
        load_settings(tmp_path)


def test_a_title_does_not_change_the_policy_but_k_does(tmp_path: Path, metadata: dict[str, Any]) -> None:
    """The policy's hash covers what decides published values and nothing else."""
    before = load_settings(_write(tmp_path, metadata)).policy.sha256
    metadata["title"] = "Another"
    metadata["x-shafaf"]["bodies"][0]["title"] = {"fa": "دیگر", "en": "Other"}
    assert load_settings(_write(tmp_path, metadata)).policy.sha256 == before
    metadata["x-shafaf"]["k"] = 11
    assert load_settings(_write(tmp_path, metadata)).policy.sha256 != before


def test_a_level_between_leaf_and_root_is_named_under_codes(tmp_path: Path, metadata: dict[str, Any]) -> None:
    """A tree may have any number of levels; their names are codes of the list `level`."""
    codes = metadata["x-shafaf"]["codes"]
    codes.append({"list": "level", "code": "section", "title": {"fa": "اداره", "en": "Section"}})
    metadata["x-shafaf"]["levels"]["unit"] = ["leaf", "section", "department"]
    assert load_settings(_write(tmp_path, metadata)).policy.levels["unit"] == ("leaf", "section", "department")


def test_weights_give_one_ladder_that_the_policy_holds(tmp_path: Path, metadata: dict[str, Any]) -> None:
    """A ladder of weights is expanded when it is read: the policy hashes its rungs, written by hand they are the same."""
    metadata["x-shafaf"]["ladder"] = {"weights": {"outcome": 9, "lateness": 5, "service": 4, "trace": 1}, "rungs": 12}
    policy = load_settings(_write(tmp_path, metadata)).policy
    rungs = [dict(rung) for rung in policy.ladder]
    assert rungs[0] == {"service": "leaf", "outcome": "code", "lateness": "code", "trace": "steps_units"}
    assert rungs[1]["trace"] == "steps"
    assert rungs[-4:] == [
        {"outcome": "code", "lateness": "code"},
        {"outcome": "code"},
        {"lateness": "code"},
        {"service": "family"},
    ]
    metadata["x-shafaf"]["ladder"] = rungs
    assert load_settings(_write(tmp_path, metadata)).policy.sha256 == policy.sha256


@pytest.mark.parametrize("rungs", [6, 9, 14, 20, 24])
def test_weights_never_give_more_rungs_or_an_idle_one(tmp_path: Path, metadata: dict[str, Any], rungs: int) -> None:
    """Whatever the number of rungs, the ladder has no more, and every check of a written ladder passes."""
    weights = {
        "trace": 2,
        "channel": 1,
        "loop": 0.5,
        "duration": 3,
        "unit": 3,
        "service": 5,
        "lateness": 6,
        "outcome": 9,
    }
    metadata["x-shafaf"]["bands"]["duration_wide"] = [0, 10, 40]
    metadata["x-shafaf"]["ladder"] = {"weights": weights, "rungs": rungs}
    assert 5 <= len(load_settings(_write(tmp_path, metadata)).policy.ladder) <= rungs


@pytest.mark.parametrize("contact", ["call us", "http://example.org", "javascript:alert(1)", "a@b c"])
def test_contact_is_an_address_or_refused(tmp_path: Path, contact: str) -> None:
    """What becomes a link on every page is an e-mail address or a web address, nothing else."""
    text = (Path(__file__).parents[2] / "metadata.yml").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("contact:")]
    (tmp_path / "metadata.yml").write_text("\n".join([f'contact: "{contact}"', *lines]), encoding="utf-8")
    for name in ("services.csv", "units.csv"):
        (tmp_path / name).write_bytes((Path(__file__).parents[2] / name).read_bytes())
    with pytest.raises(SettingsError, match="contact"):
        load_settings(tmp_path)
