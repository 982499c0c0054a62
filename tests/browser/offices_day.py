"""What supervisors and coordinators decide: a second person's yes or no, a case that moves, ends and begins again."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.doing import follow, open_case, unfold
from tests.browser.visitor import Visitor

LANGUAGES = ["ar", "ckb", "en"]
WHY = "مثال مختلق: لا بد من علاج عاجل"
NO = "مثال مختلق: يمكن انتظار الموافقة"


def ask_to_disclose(page: Page, case: str) -> None:
    """Ask to tell an organisation something without the person's consent."""
    page.goto(case + "/consent")
    unfold(page, f"form[action$='{case[case.index('/cases/') :]}/override']")
    page.select_option("#o-organisation_id", index=1)
    page.select_option("#o-ground", index=1)
    page.locator("input[name='o-categories']").first.check()
    page.fill("#o-reason", WHY)
    follow(page, "form[action$='/override'] button.button")
    expect(page.locator(".done-note")).to_be_visible()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_disclosure_without_consent_needs_a_second_person_who_may_also_refuse(
    visit: Callable[..., Visitor], language: str
):
    handler = visit("handler.baghdad", language).page
    asks, decides = visit("supervisor.baghdad", language), visit("coordinator.baghdad", language)
    for answer in ("approve", "refuse"):
        case = open_case(handler)
        ask_to_disclose(asks.page, case)
        assert asks.page.locator("form[action$='/approve'], form[action$='/refuse']").count() == 0  # not by own hand
        decides.page.goto("/desk")
        waiting = f"main a[href='{case[case.index('/cases/') :]}/consent#overrides']"
        follow(decides.page, decides.page.locator(waiting).first)
        assert WHY in decides.page.locator("#overrides").inner_text()
        if answer == "refuse":
            decides.page.locator("form[action$='/refuse'] textarea").fill(NO)
        follow(decides.page, f"form[action$='/{answer}'] button")
        expect(decides.page.locator(".done-note")).to_be_visible()
        decides.page.goto("/desk")
        assert decides.page.locator(waiting).count() == 0
        asks.page.goto(case + "/consent")
        assert (NO in asks.page.locator("#overrides").inner_text()) == (answer == "refuse")
    decides.page.goto(case + "/consent")
    assert (decides.mistakes(), decides.wide()) == ([], [])


TO_ERBIL = {"ar": "أربيل", "ckb": "هەولێر", "en": "Erbil"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_case_moves_from_the_federal_office_to_the_kurdistan_region(visit: Callable[..., Visitor], language: str):
    handler = visit("handler.baghdad", language).page
    case = open_case(handler)
    supervisor = visit("supervisor.baghdad", language)
    page = supervisor.page
    page.goto(case)
    unfold(page, "form[action$='/transfer']")
    desks = page.locator("#desk option").all_inner_texts()
    theirs = next(text for text in desks if TO_ERBIL[language] in text)
    page.select_option("#desk", label=theirs)
    page.select_option("#t-reason", "other_jurisdiction")
    follow(page, "form[action$='/transfer'] button")

    there = visit("supervisor.erbil", language)
    there.page.goto(case)
    assert TO_ERBIL[language] in there.page.locator("dl.facts").first.inner_text()
    assert there.page.locator(".now").count() >= 1
    assert (there.mistakes(), there.wide()) == ([], [])
    handler.goto("/work?tab=mine")
    assert handler.locator("main").get_by_text(number_of(there.page)).count() == 0


def number_of(page: Page) -> str:
    """Give the number of the case that stands open."""
    return page.locator("h1 bdi[dir=ltr]").inner_text()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_case_is_closed_with_a_reason_and_opened_again_for_a_new_need(visit: Callable[..., Visitor], language: str):
    case = open_case(visit("handler.baghdad", language).page)
    supervisor = visit("supervisor.baghdad", language)
    page = supervisor.page
    page.goto(case)
    unfold(page, "form[action$='/close']")
    page.select_option("#outcome", index=1)
    page.select_option("#c-reason", index=1)
    follow(page, "form[action$='/close'] button")
    assert page.locator(".now").count() == 0
    assert page.locator("form[action$='/close']").count() == 0
    unfold(page, "form[action$='/reopen']")
    page.select_option("#r-reason", "new_need")
    follow(page, "form[action$='/reopen'] button")
    assert page.locator("form[action$='/close']").count() == 1
    kinds = page.request.get(f"/api/v1{case[case.index('/cases/') :]}/timeline", params={"limit": 100}).json()["data"]
    assert {"case.closed", "case.reopened"} <= {event["kind"] for event in kinds}
    assert (supervisor.mistakes(), supervisor.wide()) == ([], [])


@pytest.mark.parametrize("language", LANGUAGES)
def test_whoever_complains_needs_no_name_and_reads_the_answer_with_the_receipt(
    visit: Callable[..., Visitor], language: str
):
    nobody = visit("", language, java_script_enabled=False)
    page = nobody.page
    page.goto(f"/complain?language={language}")
    page.select_option("#category", "service")
    page.fill("#text", WHY)
    page.select_option("#governorate", "baghdad")
    follow(page, "main form button.button")
    receipt = page.locator("strong.secret").inner_text()
    assert nobody.context.cookies() == []

    officer = visit("complaints.federal", language)
    officer.page.goto("/complaints?state=received")
    follow(officer.page, officer.page.locator("main .list a[data-open]").first)
    assert WHY in officer.page.locator("main").inner_text()
    follow(officer.page, "form[action$='/take-up'] button")
    officer.page.fill("#text", NO)
    follow(officer.page, "form[action$='/answer'] button")
    expect(officer.page.locator(".done-note")).to_be_visible()
    assert (officer.mistakes(), officer.wide()) == ([], [])

    page.goto(f"/complain/answer?language={language}")
    page.fill("#receipt", receipt)
    follow(page, "main form button.button")
    assert NO in page.locator("main").inner_text()
    assert receipt not in page.url


def arrivals(names: list[str], place: str = "بغداد") -> bytes:
    """Write an arrival list as an office sends it; the last one goes where nobody knows."""
    head = "ت,رقم المرجع,الاسم الرباعي,اللقب,اسم الأم,الجنس,تاريخ الميلاد,بلد العودة,نوع العودة,المحافظة,رقم الرحلة"
    lines = [
        f"{at},B-{name},{name} سليمان عمران,المثال,ماجدة,ذكر,1990-05-{at:02},ألمانيا,عودة طوعية,"
        f"{place if at < len(names) else 'أطلنتس'},XX 100"
        for at, name in enumerate(names, 1)
    ]
    return "\r\n".join([head, *lines]).encode("utf-8-sig")


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_arrival_list_is_looked_at_taken_in_and_its_refused_rows_come_back_as_a_file(
    visit: Callable[..., Visitor], language: str
):
    reception = visit("reception.baghdad", language)
    page = reception.page
    page.goto("/manifests")
    names = [f"زبن{one}ان{ {'ar': 'ب', 'ckb': 'ج', 'en': 'د'}[language] }" for one in "بتثج"]
    page.set_input_files("#file", {"name": "arrivals.csv", "mimeType": "text/csv", "buffer": arrivals(names)})
    follow(page, "form[action='/manifests'] button")
    assert 4 in figures(page)
    with page.expect_download() as taken_home:
        page.click("a[download]")
    assert taken_home.value.suggested_filename.endswith(".xlsx")
    follow(page, "form[action$='/import'] button")
    for _ in range(60):
        if page.locator("#taken-head").count() and not page.locator("#far").count():
            break
        page.wait_for_timeout(500)
        page.reload()
    assert page.locator("section[aria-labelledby=taken-head] tbody tr").count() == 3
    assert page.locator("section[aria-labelledby=refused-head] tbody tr").count() == 1
    assert (reception.mistakes(), reception.wide()) == ([], [])


def figures(page: Page) -> list[int]:
    """Read the figures of an arrival list."""
    texts = page.locator("dl.facts dd").all_inner_texts()
    return [int(text) for text in texts if re.fullmatch(r"\d+", text)]
