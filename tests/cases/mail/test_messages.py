"""What every message says, to whom, in which words and whose time (M3, M4, D2, D5); the outbox in the admin (A1)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from cases.enums import AgreedBy, Channel, Direction, MailStatus, Resolution, Severity, WaitReason
from cases.followup import absences as absence_log
from cases.followup.apply import follow_up
from cases.mail.letters import Letter, facts, post
from cases.mail.messages import MESSAGES, Readers, UnknownMessage
from cases.mail.outbox import deliver
from cases.mail.rendering import Rendered, paragraphs, render
from cases.models import Case, FollowUp, Mail
from cases.workflow import contact_log, handing_on, transitions
from contacts.directory import Addressee
from contacts.enums import Language, Level, Role
from contacts.models import Contact, RoleHolder, Technician, User
from escalations.enums import Member, Origin
from escalations.points.apply import escalate
from escalations.questions.apply import answer_question
from escalations.questions.updates import send_status_update
from escalations.requests import apply as requests
from escalations.sla.apply import keep_promises
from tests.support.builders import NOON, Desk, build_company, build_desk_anew, build_user
from tests.support.snapshot import made_once

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

TO_STAFF = {message.name for message in MESSAGES.values() if message.to is Readers.STAFF}
TEMPLATES = Path(settings.BASE_DIR, "templates", "mail")
#: Templates that messages share.
PARTS = {"layout", "waiting_for", "handover_lines"}
TITLE = 'Printers <b>down</b> & "out" {{ case.owner }} since 5 o\'clock'
QUESTION = "Which <i>printer</i>?\n\nAll of them?"
HOURS = timedelta(hours=1)
DAYS = timedelta(days=1)


def ask(case: Case, desk: Desk, now: Any = NOON, reason: WaitReason = WaitReason.CANNOT_NOW) -> None:
    transitions.ask_customer(case.pk, desk.technician, now, question=QUESTION, reason=reason)


def closed_for_no_response(desk: Desk, case: Case) -> None:
    ask(case, desk)
    for days in (2, 4, 6, 8):
        follow_up(NOON + days * DAYS)
        deliver(lambda at=NOON + days * DAYS: at)


def every_message(desk: Desk) -> dict[str, Mail]:
    """One of each message, by the moves that write it."""
    manager, technician = desk.manager, desk.technician
    User.objects.update(time_zone="America/New_York")
    User.objects.filter(pk=desk.l3.pk).update(first_name="Lena")
    l3 = User.objects.get(pk=desk.l3.pk)
    desk.company.refresh_from_db()

    def opened(**fields: Any) -> Case:
        return desk.open_case(actor=manager, title=TITLE, description="All of them.\n\nSince 5.", **fields)

    opened(severity=Severity.CRITICAL)
    keep_promises(NOON + 1.5 * HOURS)  # a reminder to the owner
    keep_promises(NOON + 2 * HOURS)  # the desk's own update to the customer
    escalate(NOON + 25 * HOURS)

    raised = opened()
    transitions.change_severity(raised.pk, technician, NOON, severity=Severity.HIGH, reason="Worse.")

    unanswered = opened(severity=Severity.HIGH)
    escalate(NOON + 13 * HOURS)
    handing_on.hand_over(unanswered.pk, manager, NOON + 13 * HOURS, owner=l3, reason="Knows High")
    escalate(NOON + 14 * HOURS)
    answer_question(unanswered.pk, l3, NOON + 14 * HOURS, answer="A <b>board</b> comes.", for_customer="A part comes.")
    send_status_update(
        unanswered.pk, l3, NOON + 15 * HOURS, text="The board\nis <i>in</i>.", members=[Member.CSM], customer_too=True
    )

    closed_for_no_response(desk, silent := opened())
    contact_log.log_contact(
        silent.pk, manager, NOON + 9 * DAYS, channel=Channel.EMAIL, direction=Direction.IN, body="Here I am"
    )
    keep_promises(NOON + 9 * DAYS)  # the customer hears that their answer reopened it
    handing_on.hand_over(silent.pk, manager, NOON + 9 * DAYS, owner=l3, reason="Knows <u>printers</u>")
    contact_log.log_contact(
        silent.pk,
        technician,
        NOON + 9 * DAYS,
        channel=Channel.EMAIL,
        direction=Direction.OUT,
        body="We work on it.",
        send=True,
    )
    Mail.objects.filter(template="message").update(to_address="nobody\n@example.com")
    deliver(lambda: NOON + 9 * DAYS)

    two = {opened().pk: technician.pk for _ in range(2)}
    handing_on.hand_over_many(two, manager, NOON + 9 * DAYS, owner=l3, reason="Knows <u>two</u>")

    solved = opened()
    transitions.resolve(
        solved.pk,
        technician,
        NOON,
        resolution=Resolution.CONFIRMED,
        agreed_by=AgreedBy.PHONE,
        solution="New <s>toner</s>.",
    )
    contact_log.log_contact(
        solved.pk, technician, NOON + DAYS, channel=Channel.PHONE, direction=Direction.IN, body="Thanks!"
    )

    ask(unreachable := opened(), desk)
    desk.company.contacts.update(email="")
    follow_up(NOON + 2 * DAYS)
    assert unreachable.pk

    three_contacts(desk, opened)
    requested_escalations(desk, opened)
    Technician.objects.filter(level=Level.L2).delete()
    opened()
    return {mail.template: mail for mail in Mail.objects.order_by("-pk")}


def three_contacts(desk: Desk, opened: Callable[..., Case]) -> None:
    """A customer who prefers the phone: told to the owner, written to, the last time announced; then away for long."""
    desk.company.contacts.filter(is_help_desk=True).update(email="desk@acme.example.com", phone="+49 30 1", language="")
    contact = desk.contact
    ask(phoned := opened(preferred_means="phone", contact=contact), desk, reason=WaitReason.INFORMATION)
    ask(called := opened(contact=contact), desk, reason=WaitReason.INFORMATION)
    for day in (1, 5, 7):  # Thursday, Monday, Wednesday; 4 June 2026 is Corpus Christi in parts of Germany only
        for hours in (-4, 2.1):
            follow_up(NOON + day * DAYS + hours * HOURS)
            deliver(lambda at=NOON + day * DAYS + hours * HOURS: at)
    contact_log.log_contact(
        called.pk, desk.technician, NOON, channel=Channel.PHONE, direction=Direction.OUT, body="?", reached=False
    )
    ask(again := opened(contact=contact), desk, reason=WaitReason.INFORMATION)
    for day in (1, 5, 7):
        contact_log.log_contact(
            again.pk,
            desk.technician,
            NOON + day * DAYS,
            channel=Channel.PHONE,
            direction=Direction.OUT,
            body="No answer.",
            reached=False,
        )
    follow_up(NOON + 7 * DAYS + 3 * HOURS)  # a third attempt by phone is confirmed by mail
    absence_log.note_absence(phoned.pk, desk.manager, NOON + 7 * DAYS, note="Ich bin bald wieder da.")
    ask(away := opened(contact=contact), desk)
    absence_log.note_absence(away.pk, desk.manager, NOON, back_on=(NOON + 60 * DAYS).date())
    gone = Contact.objects.create(company=desk.company, name="Grace", email="grace@example.com")
    ask(left := opened(contact=gone, opened_despite="Their help desk is away."), desk)
    Contact.objects.filter(pk=gone.pk).update(active=False)
    left.recheck("follow_up", NOON + 31 * DAYS)
    follow_up(NOON + 31 * DAYS)  # asleep for 30 days, and somebody has left
    follow_up(NOON + 34 * DAYS)  # and nobody has chosen another contact


def requested_escalations(desk: Desk, opened: Callable[..., Case]) -> None:
    """A request that is accepted, one that is passed on and declined, one that finds no point left (E9)."""
    desk.company.contacts.filter(is_help_desk=True).update(email="desk@acme.example.com")
    words = {"origin": Origin.CUSTOMER, "asked_by": "Ada", "impact": "The <b>shop</b> is closed.", "reason": "Sales."}
    for severity in (Severity.MEDIUM, Severity.HIGH, Severity.LOW):
        asked = opened(severity=severity)
        request = requests.request_escalation(asked.pk, desk.technician, NOON, **words)
        if severity == Severity.HIGH:
            post(requests.pass_on([request], NOON + HOURS), NOON + HOURS)
            requests.decline(request.pk, desk.csm, NOON + HOURS, why="A part is on its way.", words="Tomorrow.")
        else:
            requests.accept(request.pk, desk.manager, NOON + HOURS, why="They are right.")


@made_once
def messages_of_a_desk() -> dict[str, Mail]:
    return every_message(build_desk_anew())


@pytest.fixture
def messages(db: None) -> dict[str, Mail]:
    return messages_of_a_desk()


def both(rendered: Rendered) -> str:
    return rendered.text + rendered.html


def said_in(html: str) -> str:
    """The words of an HTML part, without markup and style."""
    body = html[html.index("<body") :]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def test_every_template_is_a_message_of_some_move(messages):
    # these are about no case: see test_outages, test_accounts, test_contract_questions, test_receive, cases/queue and
    # escalations/daily_digest
    about_no_case = {"recovery_report", "password_link", "password_changed", "second_factor_changed", "sign_in_code"}
    about_no_case |= {"contract_question", "contract_question_passed_on", "turned_away"}
    about_no_case |= {"callback_missed", "caller_unreached", "callers_missed", "daily_digest", "report"}
    about_no_case |= {"handover_sheet", "handover_not_accepted"}  # see escalations/handover
    from_support_page = {"escalation_asked_for", "chat_transcript"}  # see cases/portal/test_cases, cases/chat
    assert sorted({*messages, *about_no_case, *from_support_page}) == sorted(MESSAGES)


def test_the_table_of_messages_and_the_templates_name_the_same_ones() -> None:
    subjects = {path.name.removesuffix("_subject.txt") for path in TEMPLATES.glob("*_subject.txt")}
    texts = {path.stem for path in TEMPLATES.glob("*.txt") if not path.stem.endswith("_subject")} - PARTS
    assert subjects == set(MESSAGES)
    assert texts == set(MESSAGES)


def test_a_message_that_the_table_does_not_name_is_refused() -> None:
    with pytest.raises(UnknownMessage, match="no message “notice_9”"):
        post([Letter("k", "notice_9", Addressee("a@example.com"), {})], NOON)
    assert not Mail.objects.exists()


def first_case_of(mail: Mail) -> dict[str, Any]:
    """The facts of the case; of one message for several cases those of the first."""
    return mail.facts["case"] if "case" in mail.facts else mail.facts["cases"][0]


def test_every_message_has_a_subject_of_one_line_with_the_number(messages):  # M3
    for name, mail in messages.items():
        subject = render(mail).subject
        assert "case" not in mail.facts or subject.startswith(f"[{mail.facts['case']['number']}] "), name
        assert not re.search(r"[\r\n\t]|  ", subject), name


def test_every_message_says_why_what_is_expected_and_what_happens_next(messages):  # M4
    for name, mail in messages.items():
        rendered = render(mail)
        for part in (rendered.text, said_in(rendered.html)):
            assert "You get this because " in part, name
            assert "What we ask of you" in part, name
            assert "What happens next" in part, name
            assert first_case_of(mail)["number"] in part, name
            assert first_case_of(mail)["company"] in part, name


def test_no_message_shows_a_hole_or_a_tag(messages):
    for name, mail in messages.items():
        rendered = render(mail)
        words = (rendered.subject + rendered.text + said_in(rendered.html)).replace("{{ case.owner }}", "")
        assert "None" not in words, name
        assert not re.search(r"{{|}}|{%|%}|\(\)|  \.|\.\.", words), name
        assert "T12:00" not in words, name  # a moment nobody turned into words


def test_what_people_wrote_is_literal_in_text_and_escaped_in_html(messages):
    for name, mail in messages.items():
        rendered = render(mail)
        assert TITLE in rendered.text, name
        assert "<b>" not in rendered.html, name
        assert "<i>" not in rendered.html, name
        assert "&lt;b&gt;down&lt;/b&gt; &amp; " in rendered.html, name
        assert "&amp;lt;" not in rendered.html, name


def test_customers_read_no_admin_address_and_no_internal_word(messages):
    internal = re.compile(
        r"/admin/|\bepisode|escalat|\bL2\b|\bL3\b|technician|support manager|\bsweep|\brow\b|least loaded", re.I
    )
    for name, mail in messages.items():
        rendered, address = render(mail), first_case_of(mail)["url"]
        if name in TO_STAFF:
            assert address in rendered.text, name
            assert f'href="{address}"' in rendered.html, name
        else:
            assert "/admin/" not in rendered.html, name
            assert not internal.search(rendered.subject + rendered.text + said_in(rendered.html)), name


def test_only_customers_are_asked_to_reply_above_a_line(messages):
    for name, mail in messages.items():
        rendered = render(mail)
        assert rendered.text.startswith("--- Reply above this line ---\n") == (name not in TO_STAFF), name
        assert ("Reply above this line" in rendered.html) == (name not in TO_STAFF), name


def test_staff_mail_goes_to_staff_and_customer_mail_to_customers(messages):
    staff = set(User.objects.values_list("email", flat=True))
    for name, mail in messages.items():
        assert (mail.to_address in staff) == (name in TO_STAFF), name


def test_every_moment_is_said_in_the_readers_time_zone(messages):  # M4
    moments = re.compile(r"\d\d:\d\d \(([^)]*)\)")
    for name, mail in messages.items():
        zone = "Berlin, UTC+02:00" if name not in TO_STAFF else "New York, UTC-04:00"
        assert set(moments.findall(both(render(mail)))) <= {zone}, name
    assert "Wed 3 June 2026, 08:00 (New York, UTC-04:00)" in render(messages["new_case"]).text


def test_an_unknown_time_zone_is_replaced_by_utc_which_the_message_names(messages):
    mail = messages["notice_final"]
    mail.time_zone = "Mars/Olympus"
    assert "(UTC+00:00)" in render(mail).text


# --- to customers -----------------------------------------------------------------------------------------------


def test_the_receipt_asks_for_everything_missing_in_one_numbered_list(desk):  # C1
    desk.open_case(device="HP 4", operating_system="none")
    text = render(Mail.objects.get(template="case_opened")).text
    questions = Mail.objects.get(template="case_opened").facts["questions"]
    assert questions
    for number, question in enumerate(questions, 1):
        assert f"\n{number}. {question}" in text
    assert "Which device is it?" not in text


def test_a_receipt_with_every_answer_asks_nothing(desk):  # C1
    desk.open_case(
        **dict.fromkeys(("description", "affected_user", "device", "operating_system", "system_information"), "said"),
        several_devices=False,
        affected="one",
        preferred_means="phone",
    )
    rendered = render(Mail.objects.get(template="case_opened"))
    assert "\n1. " not in rendered.text
    assert "<ol" not in rendered.html


def test_a_japanese_customer_outside_hours_is_told_when_japanese_support_opens(desk):  # D2
    tokyo = build_company("Nippon", country="JP", time_zone="Asia/Tokyo")
    tokyo.contacts.update(language=Language.JAPANESE)
    desk.open_case(company=tokyo)  # 21:00 in Tokyo
    mail = Mail.objects.get(template="case_opened")
    assert "日本語によるサポートの次回の受付開始は、2026年6月4日（木）09:00（日本時間）です。" in render(mail).text
    mail.language = "en"
    opens = "Japanese-speaking support opens next on Thu 4 June 2026, 09:00 (Tokyo, UTC+09:00)"
    assert opens in render(mail).text


def test_within_japanese_hours_nobody_is_told_when_they_begin(desk):  # D2
    tokyo = build_company("Nippon", country="JP", time_zone="Asia/Tokyo")
    tokyo.contacts.update(language=Language.JAPANESE)
    desk.open_case(company=tokyo, now=NOON - 9 * HOURS)  # noon in Tokyo
    assert "次回の受付開始" not in both(render(Mail.objects.get(template="case_opened")))


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (WaitReason.INFORMATION, "we need to know something from you"),
        (WaitReason.CANNOT_NOW, "wait until we hear from you"),
        (WaitReason.CONFIRM, "We believe that your case"),
    ],
)
def test_a_question_is_put_in_the_words_of_its_reason(desk, reason, words):  # F1
    ask(desk.open_case(), desk, reason=reason)
    text = render(Mail.objects.get(template="question")).text
    assert words in text
    assert "Which <i>printer</i>?\n\nAll of them?" in text


def test_the_final_notice_names_date_and_time_of_the_closing(messages):  # F2, F4
    mail = messages["notice_final"]
    notice = FollowUp.objects.get(mail=mail)
    assert notice.due_at == NOON + 6 * DAYS
    assert "we close the case on Wed 10 June 2026, 14:00 (Berlin, UTC+02:00)" in render(mail).text


@pytest.mark.parametrize(
    ("severity", "channel", "promised"),
    [
        (
            Severity.CRITICAL,
            Channel.PHONE,
            ("every 2 h", "the first time by Wed 3 June 2026, 16:00", "by Wed 3 June 2026, 14:30"),
        ),
        (Severity.LOW, Channel.EMAIL, ("every 24 h", "the first time by Thu 4 June 2026, 14:00")),
    ],
)
def test_the_receipt_promises_a_response_to_a_call_and_updates_with_their_times(
    desk: Desk, severity: Severity, channel: Channel, promised: tuple[str, ...]
) -> None:  # C1, T1, T2
    desk.open_case(severity=severity, channel=channel)
    text = render(Mail.objects.get(template="case_opened")).text
    for sentence in promised:
        assert sentence in text
    assert ("As you phoned us" in text) == (channel == Channel.PHONE)


def test_closed_for_no_response_says_until_when_an_answer_reopens(messages):  # C7
    text = render(messages["closed_no_response"]).text
    assert "answer this message by Thu 25 June 2026, 14:00 (Berlin, UTC+02:00)" in text


def test_a_case_that_is_not_pursued_is_not_called_solved(desk):  # C4
    case = desk.open_case()
    transitions.resolve(case.pk, desk.technician, NOON, resolution=Resolution.NOT_PURSUED)
    text = render(Mail.objects.get(template="resolved")).text
    assert "cannot be pursued further" in text
    assert "solved it" not in text


# --- to staff ---------------------------------------------------------------------------------------------------


def escalations(desk: Desk, severity: Severity, after: timedelta) -> dict[str, str]:
    desk.open_case(severity=severity, title="Down")
    escalate(NOON + after)
    return {mail.to_address: render(mail).text for mail in Mail.objects.filter(template="escalation")}


def test_an_escalation_names_the_highest_point_and_lists_the_others(desk):  # E5
    said = escalations(desk, Severity.CRITICAL, 25 * HOURS)[desk.coo.email]
    assert "has reached Critical 3, due on Thu 4 June 2026, 12:00 (UTC+00:00)" in said
    assert "- Critical 1, due on Wed 3 June 2026, 16:00 (UTC+00:00)" in said
    assert "- Critical 2, due on Thu 4 June 2026, 00:00 (UTC+00:00)" in said
    assert "This comes late" in said


def test_an_escalation_on_time_is_not_called_late(desk):
    said = escalations(desk, Severity.HIGH, 12 * HOURS)
    assert all("late" not in text for text in said.values())


def test_an_escalation_says_whether_the_owner_changed_and_who_is_asked_what(desk):  # E5, E7, E8
    said = escalations(desk, Severity.CRITICAL, 13 * HOURS)
    assert "Ownership went from tech to l3. You own the case now." in said[desk.l3.email]
    assert "Answer in one line on the page of the case." in said[desk.technician.email]
    assert "Answer in one line" not in said[desk.csm.email]
    assert "Ownership went from tech to l3." in said[desk.csm.email]
    assert "When: Thu 4 June 2026, 12:00 (UTC+00:00)" in said[desk.csm.email]


def test_an_escalation_that_only_asks_leaves_the_owner(desk):  # E1
    said = escalations(desk, Severity.HIGH, 12 * HOURS)
    assert all("tech owns the case, as before." in text for text in said.values())


def test_a_message_that_fell_back_begins_with_whom_it_was_meant_for(desk):  # D5
    RoleHolder.objects.filter(role=Role.CSM).update(holder=None)
    said = escalations(desk, Severity.HIGH, 12 * HOURS)[desk.manager.email]
    assert said.split("\n\n")[1].startswith("This message was meant for: Customer service manager (nobody). It came to")
    mail = Mail.objects.get(template="escalation", to_address=desk.manager.email)
    assert "This message was meant for: Customer service manager" in said_in(render(mail).html)


# --- the look ---------------------------------------------------------------------------------------------------


def test_the_style_is_inlined_and_nothing_is_fetched(messages):
    html = render(messages["notice_final"]).html
    assert "prefers-color-scheme: dark" in html
    assert re.search(r'<td class="inside" style="[^"]*padding', html)
    assert not re.search(r"<(img|link|script|iframe)\b|url\(", html)


def test_addresses_become_links_and_breaks_stay(desk):
    case = desk.open_case()
    what = facts(case, why="w", expected="e.", then="t.", message="https://example.com/a?b=1&c=2\nand go", sender="T")
    post([Letter("k", "message", Addressee("a@example.com"), what, case)], NOON)
    mail = Mail.objects.get(key="k")
    html = render(mail).html
    assert 'href="https://example.com/a?b=1&amp;c=2"' in html
    assert "<br>and go" in html


def test_blocks_are_parted_by_empty_lines_and_keep_their_indentation():
    assert paragraphs("\n\n one\r\n\r\n\t\r\n  two\nlines \n \n\n") == [" one", "  two\nlines"]


# --- the outbox in the admin ------------------------------------------------------------------------------------


def page(mail: Mail) -> str:
    return reverse("admin:cases_mail_change", args=[mail.pk])


def again(mail: Mail) -> str:
    return reverse("admin:cases_mail_send_again", args=[mail.pk])


@pytest.fixture
def receipt(desk: Desk) -> Mail:
    desk.open_case(title=TITLE)
    return Mail.objects.get(template="case_opened")


def failed(mail: Mail) -> Mail:
    Mail.objects.filter(pk=mail.pk).update(status=MailStatus.FAILED, attempts=1, last_error="550 no such user")
    return Mail.objects.get(pk=mail.pk)


def test_a_queued_message_is_previewed_in_a_sandbox(client, desk, receipt):  # M1
    client.force_login(desk.technician)
    body = client.get(page(receipt)).content.decode()
    assert "Preview" in body
    frame = re.search(r"<iframe[^>]*>", body).group()
    assert 'sandbox=""' in frame
    assert escape("&lt;b&gt;down") in frame
    assert "<b>down" not in body


def test_a_sent_message_is_shown_as_it_was_kept(client, desk, receipt):  # M1
    deliver(lambda: NOON)
    Mail.objects.filter(pk=receipt.pk).update(html="<p>as it left</p>", facts={})
    client.force_login(desk.technician)
    body = client.get(page(receipt)).content.decode()
    assert "As sent" in body
    assert escape("<p>as it left</p>") in body


def test_a_message_that_cannot_be_built_still_has_a_page(client, desk, receipt):  # S4
    Mail.objects.update(template="no_such_template")
    client.force_login(desk.technician)
    assert "cannot be built" in client.get(page(receipt)).content.decode()


def test_a_queued_notice_whose_reason_is_gone_says_that_it_will_not_be_sent(client, desk):  # M1
    ask(case := desk.open_case(), desk)
    transitions.take_back(case.pk, desk.technician, NOON, reason="found it")
    client.force_login(desk.technician)
    assert "It will not be sent" in client.get(page(Mail.objects.get(template="question"))).content.decode()


def test_the_list_shows_status_reader_subject_and_case(client, desk, receipt):
    failed(receipt)
    client.force_login(desk.technician)
    body = client.get(reverse("admin:cases_mail_changelist")).content.decode()
    for words in ("Failed", receipt.to_address, receipt.case.number, receipt.case.get_absolute_url()):
        assert words in body


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status__exact=failed", True),
        ("status__exact=sent", False),
        ("template=case_opened", True),
        ("template=resolved", False),
        ("q=SD-{pk:06d}", True),
        ("q=SD-999999", False),
        ("q=desk@acme", True),
        ("q=desk@globex", False),
    ],
)
def test_the_list_is_filtered_and_searched(client, desk, receipt, query, found):
    failed(receipt)
    client.force_login(desk.technician)
    address = f"{reverse('admin:cases_mail_changelist')}?{query.format(pk=receipt.case_id)}"
    response = client.get(address)
    assert response.status_code == 200
    assert (receipt in response.context["cl"].result_list) == found


def test_the_list_asks_no_query_per_row(client, desk, django_assert_max_num_queries):
    for _ in range(20):
        desk.open_case()
    client.force_login(desk.technician)
    with django_assert_max_num_queries(8):
        client.get(reverse("admin:cases_mail_changelist"))


@pytest.mark.parametrize("who", ["account_manager", "customer_engineer"])
def test_those_of_the_company_read_its_mail_and_only_that(client, desk, receipt, who):  # A1
    desk.open_case(company=desk.other_company)
    foreign = Mail.objects.get(template="case_opened", case__company=desk.other_company)
    post([Letter("about no case", "mail_failed", Addressee("x@example.com"), {})], NOON)
    client.force_login(getattr(desk, who))
    listed = client.get(reverse("admin:cases_mail_changelist")).context["cl"].result_list
    assert {mail.case.company for mail in listed} == {desk.company}
    assert client.get(page(receipt)).status_code == 200
    assert client.get(page(foreign)).status_code == 404
    assert client.get(reverse("admin:cases_mail_history", args=[foreign.pk])).status_code == 404
    assert client.post(again(failed(foreign))).status_code == 404


def test_mail_is_read_only_for_everybody(client, desk, receipt):  # A1, M1
    client.force_login(build_user("", "root", is_superuser=True))
    assert client.post(page(receipt), {"to_address": "thief@example.com"}).status_code == 403
    assert client.get(reverse("admin:cases_mail_add")).status_code == 403
    assert client.post(reverse("admin:cases_mail_delete", args=[receipt.pk]), {"post": "yes"}).status_code == 403
    assert Mail.objects.get(pk=receipt.pk).to_address == receipt.to_address


def test_a_technician_sends_a_failed_message_again_with_a_button(client, desk, receipt):  # M2
    client.force_login(desk.technician)
    body = client.get(page(failed(receipt))).content.decode()
    assert f'action="{again(receipt)}"' in body
    assert client.post(again(receipt)).status_code == 302
    mail = Mail.objects.get(pk=receipt.pk)
    assert (mail.status, mail.attempts, mail.message_id) == (MailStatus.QUEUED, 0, receipt.message_id)


def test_only_a_failed_message_has_the_button_and_pressing_anyway_changes_nothing(client, desk, receipt):
    deliver(lambda: NOON)
    client.force_login(desk.technician)
    assert "send-again" not in client.get(page(receipt)).content.decode()
    response = client.post(again(receipt), follow=True)
    assert "Only a message that failed can be sent again." in response.content.decode()
    assert Mail.objects.get(pk=receipt.pk).status == MailStatus.SENT


def test_sending_again_takes_post_and_the_right(client, desk, receipt):  # A2
    failed(receipt)
    client.force_login(desk.technician)
    assert client.get(again(receipt)).status_code == 405
    client.force_login(desk.account_manager)
    assert client.post(again(receipt)).status_code == 403
    client.logout()
    assert client.post(again(receipt)).status_code == 302
    assert Mail.objects.get(pk=receipt.pk).status == MailStatus.FAILED


def send_listed_again(client, *mails, across=False):
    listed = {"action": "send_selected_again", "_selected_action": [mail.pk for mail in mails], "index": 0}
    address = reverse("admin:cases_mail_changelist")
    return client.post(address, listed | {"select_across": int(across)}, follow=True)


def test_failed_messages_are_sent_again_in_bulk_and_what_no_longer_holds_is_dropped(client, desk, receipt):  # M1, M2
    stale = failed(Mail.objects.create(
        case=receipt.case, key="stale", template="reassigned", to_address="x@example.com", holds="open",
        queued_at=NOON, send_at=NOON, message_id="<stale>",
    ))  # fmt: skip
    transitions.resolve(receipt.case_id, desk.technician, NOON, resolution=transitions.Resolution.NOT_PURSUED)
    sent = Mail.objects.filter(template="new_case").first() or Mail.objects.exclude(pk__in=(receipt.pk, stale.pk))[0]
    Mail.objects.filter(pk=sent.pk).update(status=MailStatus.SENT)
    client.force_login(desk.manager)
    said = send_listed_again(client, failed(receipt), stale, sent).content.decode()
    assert "1 message queued again" in said
    assert "1 message dropped, because the reason no longer holds" in said
    assert "1 message left alone" in said
    states = dict(Mail.objects.values_list("pk", "status"))
    assert [states[one.pk] for one in (receipt, stale, sent)] == [
        MailStatus.QUEUED,
        MailStatus.DROPPED,
        MailStatus.SENT,
    ]


def test_all_failed_messages_of_a_list_are_sent_again_at_once(client, desk):  # M2
    for _ in range(30):
        failed(Mail.objects.filter(case=desk.open_case(), template="case_opened").get())
    client.force_login(build_user("", "root", is_superuser=True))
    some = Mail.objects.filter(status=MailStatus.FAILED)[:25]
    listed = reverse("admin:cases_mail_changelist") + "?status__exact=failed"
    data = {"action": "send_selected_again", "_selected_action": [one.pk for one in some], "index": 0}
    client.post(listed, data | {"select_across": 1})
    assert not Mail.objects.filter(status=MailStatus.FAILED).exists()


def test_sending_again_in_bulk_takes_the_right_and_reaches_no_foreign_message(client, desk, receipt):  # A1, A2
    failed(receipt)
    for who in (desk.account_manager, desk.other_account_manager, desk.customer_engineer):
        client.force_login(who)
        assert "send_selected_again" not in client.get(reverse("admin:cases_mail_changelist")).content.decode()
        send_listed_again(client, receipt)
        assert Mail.objects.get(pk=receipt.pk).status == MailStatus.FAILED


def test_sending_again_is_protected_against_forgery(desk, receipt, client_without_token):  # A2
    failed(receipt)
    client_without_token.force_login(desk.technician)
    assert client_without_token.post(again(receipt)).status_code == 403


@pytest.fixture
def client_without_token() -> Any:
    return Client(enforce_csrf_checks=True)
