"""The story of the office, each item by one query on its databases."""

from __future__ import annotations

from collections import Counter
from statistics import median

BODY = {"shahrdari": "3001", "sabt": "3004", "mohit": "3009", "asnad": "3010"}


def test_desk_and_automation_lose_each_other_in_four_to_eight_cases_of_a_hundred(office: object) -> None:
    """Of requests with a letter, 4-8 % carry neither a tracking code nor a register number that fits."""
    query = """
        select count(*), sum(not (coalesce(l.tracking_code = r.tracking_code, 0)
          or coalesce(l.register_code = r.register_code and l.register_no = r.register_no
                      and l.register_year = r.register_year, 0)))
        from request r join other.dossier d on d.dossier_id = r.request_id join other.letter l on l.letter_id = d.letter_id
    """
    ((followed, broken),) = office.ask("desk", query)
    assert followed > 5_000
    assert 0.04 < broken / followed < 0.08


def test_a_mistyped_link_fits_no_other_case(office: object) -> None:
    """A wrong tracking code or register number is never another case's own."""
    query = """
        select count(*) from other.letter l join request r on r.tracking_code = l.tracking_code
        where r.request_id <> l.dossier_id
    """
    assert office.ask("desk", query) == [(0,)]


def test_new_year_is_quiet(office: object) -> None:
    """In Farvardin fewer than seven tenths of an average month come in, every year."""
    months = Counter(dict(office.ask("desk", "select month(received_date), count(*) from request group by 1")))
    mean = sum(months.values()) / len(months)
    assert {month for month in months if months[month] < 0.7 * mean} >= {"1404-01", "1405-01"}


def test_letters_settle_in_the_legal_unit_of_the_municipality(office: object) -> None:
    """A dossier stays three times as long in that legal unit as in the other ones."""
    query = """
        select d.org_code = '3001', min(case when action like '%حقوقی' or action like '%حقوقي' then day(referral_date) end)
          - min(case when r.to_unit = u.unit_code then day(referral_date) end)
        from referral r join dossier d using (dossier_id)
        join unit u on u.org_code = d.org_code and u.name = 'اداره حقوقی'
        group by d.dossier_id
    """
    stays = [(is_there, days) for is_there, days in office.ask("automation", query) if days is not None]
    there = median(days for is_there, days in stays if is_there)
    elsewhere = median(days for is_there, days in stays if not is_there)
    assert there > 3 * elsewhere


def test_the_reform_of_mehr_halves_waits_in_the_registry(office: object) -> None:
    """From 1404-07 on the registry decides in about half the days."""
    query = f"""
        select month(received_date) >= '1404-07', day(decided_date) - day(received_date) from request
        where org_code = '{BODY["sabt"]}' and decided_date is not null and day(received_date) is not null
    """
    waits = office.ask("desk", query)
    before, after = (median(days for is_after, days in waits if is_after == side) for side in (0, 1))
    assert 0.3 < after / before < 0.65


def test_one_service_is_too_small_to_show(office: object) -> None:
    """Somebody asks for it, but never ten people."""
    ((count,),) = office.ask("desk", "select count(*) from request where service_code = '10081004'")
    assert 1 <= count < 10


def test_one_body_is_silent_for_two_months(office: object) -> None:
    """The environment office records nothing in 1404-10 and 1404-11, and works before and after."""
    query = f"""
        select month(received_date) from request where org_code = '{BODY["mohit"]}'
        union select month(registered_date) from other.letter where register_code = '{BODY["mohit"]}-1'
          and letter_id % 100 = 0 and registered_date not like '%/07/31'
    """
    months = {month for (month,) in office.ask("desk", query)}
    assert not months & {"1404-10", "1404-11"}
    assert months >= {"1404-09", "1404-12"}


def test_a_body_of_a_handful_stands_beside_a_big_one(office: object) -> None:
    """The municipality has more than a hundred times the cases of the archive."""
    counts = dict(office.ask("desk", "select org_code, count(*) from request group by 1"))
    assert counts[BODY["shahrdari"]] > 100 * counts[BODY["asnad"]] > 0


def test_outcomes_are_corrected_after_closing(two_ages: tuple) -> None:
    """A month later some closed request has another outcome, at the same date of closing."""
    now, later = two_ages
    query = "select request_id, closed_date, result from request where closed_date is not null and result is not null"
    then = {number: (closed, result) for number, closed, result in later.ask("desk", query)}
    changed = [number for number, closed, result in now.ask("desk", query) if then[number] != (closed, result)]
    reopened = [number for number, closed, _ in now.ask("desk", query) if then[number][0] != closed]
    assert len(changed) > len(reopened)


def test_paper_is_entered_a_month_or_two_late(two_ages: tuple) -> None:
    """A month later there are requests received in months that were over before the first look."""
    now, later = two_ages
    query = "select request_id from request where month(received_date) <= '1404-08'"
    appeared = set(later.ask("desk", query)) - set(now.ask("desk", query))
    assert appeared


def test_contested_cases_have_thirty_events_and_more(office: object) -> None:
    """About one case in a hundred goes round and round."""
    query = "select count(*) from (select dossier_id from referral group by 1 having count(*) >= 28)"
    ((contested,),) = office.ask("automation", query)
    ((dossiers,),) = office.ask("automation", "select count(*) from dossier")
    assert 0.004 < contested / dossiers < 0.02


def test_some_letters_are_classified_and_some_have_no_class(office: object) -> None:
    """Every class of secrecy occurs, a missing one too."""
    counts = Counter(dict(office.ask("automation", "select secrecy, count(*) from letter group by 1")))
    assert {None, "عادی", "محرمانه", "سری"} <= set(counts)
    assert 0.003 < 1 - (counts["عادی"] + counts["عادي"]) / sum(counts.values()) < 0.03


def test_rare_outcomes_are_rare(office: object) -> None:
    """Refusals happen, in less than two cases of a hundred; a few lack their reason, and articles are cited."""
    query = """
        select sum(result like 'رد به استناد%'), sum(result like 'رد %'), sum(result like 'رد %' and refusal_text is null),
          count(distinct exemption), count(*)
        from request where result is not null
    """
    ((exempt, refused, bare, articles, decided),) = office.ask("desk", query)
    assert 0 < exempt < refused < 0.02 * decided
    assert 0 < bare < 0.35 * refused
    assert articles >= 4


def test_dates_and_letters_come_as_people_type_them(office: object) -> None:
    """Persian digits, unpadded dates, Arabic letters and joiners all occur."""
    query = """
        select sum(received_date glob '*[۰-۹]*'), sum(length(received_date) < 10), sum(a.full_name glob '*[يك]*'),
          sum(subject like '%' || char(8204) || '%'), count(*) from request join applicant a using (applicant_id)
    """
    ((persian, unpadded, arabic, joined, count),) = office.ask("desk", query)
    assert 0.08 < persian / count < 0.18
    assert 0.03 < unpadded / count < 0.15
    assert 0.05 < arabic / count < 0.2
    assert joined > 0


def test_a_few_rows_break_the_contract(office: object) -> None:
    """Impossible dates, endings before beginnings and unknown kinds: three to six cases of a thousand."""
    flawed = "registered_date like '%/07/31' or kind like 'پیشنهاد' or day(closed_date) < day(received_date)"
    ((desk, count),) = office.ask("desk", f"select sum(coalesce({flawed}, 0)), count(*) from request")
    assert 0.003 < desk / count < 0.006
    query = "select count(*) from referral where dossier_id not in (select dossier_id from dossier)"
    ((orphans,),) = office.ask("automation", query)
    assert orphans >= 1


def test_citizens_are_told_and_promised(office: object) -> None:
    """Most requests with a letter have a promised date; most are told at registration; some are scored."""
    query = """
        select avg(promised_date is not null), avg(n.request_id is not null), avg(s.request_id is not null)
        from request r left join notice n on n.request_id = r.request_id and n.stage = 'ثبت'
        left join survey s on s.request_id = r.request_id
    """
    ((promised, told, scored),) = office.ask("desk", query)
    assert 0.7 < promised < 0.9
    assert told > 0.85
    assert 0.1 < scored < 0.25


def test_complaints_name_the_case_they_are_about(office: object) -> None:
    """Some complaints have a parent: a request by the same person."""
    query = """
        select count(*), sum(c.applicant_id = p.applicant_id) from request c join request p
        on p.request_id = c.parent_request_id
    """
    ((children, same),) = office.ask("desk", query)
    assert children == same > 10
