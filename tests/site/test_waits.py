"""The strip shares a hundred dots among all cases: by days, lateness, hidden and open."""

from __future__ import annotations

from typing import Any

from portal.facts import Facts, Limit
from portal.waits import HIDDEN, OPEN, Strip, make_strip, read_bands, strip_chart
from portal.words import Words

BANDS = read_bands(["00_02", "03_05", "06_10", "11_15", "16_20", "21_40", "41_60", "61_up"])


def facts(limit: Limit | None) -> Facts:
    """Make the facts of an instance with a headline limit."""
    return Facts({"fa": "", "en": ""}, "", "", 10, "jalali", 15, "working", limit, None)


def row(band: str | None, lateness: str | None, count: int) -> dict[str, Any]:
    """Make a row of query `waits`."""
    return {"duration_band_code": band, "lateness_code": lateness, "case_count": count}


def strip(*rows: dict[str, Any], open_count: int = 0, overdue: int = 0, awaiting: int = 0) -> Strip:
    """Make a strip under a limit of ten days."""
    stock = {"open_count": open_count, "open_overdue_count": overdue, "awaiting_count": awaiting}
    return make_strip(rows, BANDS, facts(Limit(10, "working", "registered")), stock=stock)


def test_every_case_is_a_part_of_the_hundred() -> None:
    """Waiting and open cases take their dots too."""
    made = strip(row("00_02", "on_time", 50), row("21_40", "late", 20), open_count=20, overdue=5, awaiting=10)
    assert made.counted == 100
    assert {tone: made.of(tone) for tone in ("done", "late", "hidden", "open", "open_late")} == {
        "done": 50,
        "late": 20,
        "hidden": 10,
        "open": 15,
        "open_late": 5,
    }


def test_bands_far_past_the_limit_share_a_column() -> None:
    """A phone shows two bands past the limit and one for the rest."""
    made = strip(row("21_40", "late", 1), row("61_up", "late", 1))
    assert made.columns == ("00_02", "03_05", "06_10", "11_15", "16_20", "21_40")
    assert made.labels[-1] == (21, None)
    assert made.limit_before == 3
    assert made.dots["21_40", "late"] == 100


def test_case_in_time_with_hidden_days_stays_teal() -> None:
    """What is known of a case is shown, even where its days are not."""
    made = strip(row(None, "on_time", 3), row(None, None, 1))
    assert made.dots == {(HIDDEN, "done"): 75, (HIDDEN, "hidden"): 25}


def test_no_column_stands_for_nothing() -> None:
    """Without open cases there is no column for them."""
    assert OPEN not in strip(row("00_02", "on_time", 1)).columns
    assert OPEN in strip(row("00_02", "on_time", 1), open_count=1).columns


def test_limit_that_is_no_edge_draws_no_line() -> None:
    """A line between columns would lie where the limit cuts through a band."""
    made = make_strip([row("00_02", "on_time", 1)], BANDS, facts(Limit(7, "working", "registered")), stock=None)
    assert made.limit_before is None
    assert strip_chart(made, Words("en", "jalali"), name="s", title="t").mark is None


def test_strip_says_itself_in_words() -> None:
    """The description gives the dots of each kind."""
    made = strip(row("00_02", "on_time", 9), row("11_15", "late", 1))
    assert (
        strip_chart(made, Words("en", "jalali"), name="s", title="t").text
        == "Of a hundred: in time 90; past the limit 10."
    )
