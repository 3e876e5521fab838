"""Customers sign in to the support page with a code (P1)."""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core import mail as sent_mail
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from cases.mail.outbox import deliver
from cases.models import Mail
from cases.portal.sign_in import GOOD_FOR, TRIES
from contacts.entrances import SUPPORT_COOKIE
from contacts.enums import Language
from contacts.models import Company, Contact, FailedSignIn, SignInCode, User
from contacts.sign_ins import KEPT_FOR, forget_old_tries
from tests.support.builders import Desk, build_company
from tests.support.customers import CODE, HOME, SIGN_IN, ask, mailed_code, sign_in_by_code
from tests.support.pages import signed_in
from tests.support.queries import queries_of_page

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 3, 9, tzinfo=UTC)


def wrong(code: str) -> str:
    return code.replace(code[0], str((int(code[0]) + 1) % 10))


def without_token(page: str) -> str:
    return re.sub(r'(name="csrfmiddlewaretoken" value|"X-CSRFToken"): ?"[^"]*"|value="[A-Za-z0-9]{64}"', "", page)


def test_a_help_desk_contact_signs_in_with_the_mailed_code_and_out_again(client: Client, desk: Desk):  # P1
    page = sign_in_by_code(client, desk.contact.email.upper()).content.decode()
    assert "Cases of Acme" in page
    assert client.post("/support/sign-out/").status_code == 302
    assert client.get(HOME).headers["Location"] == SIGN_IN


def test_the_code_leaves_by_the_outbox_before_it_is_of_no_use_and_is_forgotten_then(
    client: Client, desk: Desk, settings
):  # P1, A3, M1
    settings.MAIL_IS_KEPT = False
    ask(client, desk.contact.email)
    mail = Mail.objects.get()
    assert mail.needed_by == mail.send_by == SignInCode.objects.get().expires_at
    code = mailed_code(desk.contact.email)
    for reader in (desk.manager, desk.technician):
        assert mail not in Mail.objects.visible_to(reader)
    deliver(timezone.now)
    assert code in sent_mail.outbox[0].body
    assert code not in sent_mail.outbox[0].subject
    mail.refresh_from_db()
    assert (mail.status, mail.facts, mail.text, mail.html) == ("sent", {}, "", "")
    assert client.post(CODE, {"code": code.replace(" ", "-")}, follow=True).context["request"].contact == desk.contact


def test_known_and_unknown_addresses_get_the_same_page_after_the_same_statements(desk: Desk):  # P1
    addresses = (desk.contact.email, "nobody@example.com", desk.end_user.email, desk.technician.email)
    ask(Client(), desk.contact.email)  # what is looked up once per process
    pages, statements = [], []
    for address in addresses:
        with CaptureQueriesContext(connection) as queries:
            pages.append(without_token(ask(Client(), address).content.decode()).replace(address, "ADDRESS"))
        statements.append([re.sub(r"\W.*", "", query["sql"], flags=re.DOTALL) for query in queries])
    assert len(set(pages)) == 1
    assert "a code is on its way there" in pages[0]
    assert statements == [statements[0]] * len(addresses)
    assert Mail.objects.count() == 2


def test_who_is_not_the_help_desk_of_a_customer_gets_no_code(desk: Desk):  # P1, D3, D9
    Contact.objects.create(company=desk.company, name="Gone", email="gone@x.example", is_help_desk=True, active=False)
    Company.objects.filter(pk=desk.other_company.pk).update(active=False)
    closed = desk.other_company.contacts.get(is_help_desk=True)
    for address in ("gone@x.example", closed.email, desk.end_user.email, desk.manager.email, "stranger@example.com"):
        ask(Client(), address)
    assert not Mail.objects.exists()
    assert FailedSignIn.objects.filter(on_support_page=True, contact=None).count() == 5


def test_a_code_opens_the_page_once_and_in_the_browser_that_asked_for_it(client: Client, desk: Desk):  # P1
    ask(client, desk.contact.email)
    code = mailed_code(desk.contact.email)
    other = Client()
    assert other.post(CODE, {"code": code}).headers["Location"] == SIGN_IN
    ask(other, desk.contact.email)
    assert "This is not the code" in other.post(CODE, {"code": code}).content.decode()
    kept = client.cookies[SUPPORT_COOKIE].value
    assert "Cases of Acme" in client.post(CODE, {"code": code}, follow=True).content.decode()
    assert client.cookies[SUPPORT_COOKIE].value != kept  # a session that was known before opens nothing
    again = Client()
    again.cookies[SUPPORT_COOKIE] = kept
    assert again.get(HOME).status_code == 302
    assert SignInCode.objects.filter(used_at=None).count() == 1


def test_three_wrong_codes_end_it_even_for_the_right_one(client: Client, desk: Desk, caplog):  # P1
    ask(client, desk.contact.email)
    code = mailed_code(desk.contact.email)
    with caplog.at_level(logging.WARNING, logger="contacts.sign_ins"):
        for _ in range(TRIES - 1):
            assert "This is not the code" in client.post(CODE, {"code": wrong(code)}).content.decode()
        assert "of no use any more" in client.post(CODE, {"code": wrong(code)}, follow=True).content.decode()
    assert client.post(CODE, {"code": code}).headers["Location"] == SIGN_IN
    assert FailedSignIn.objects.filter(contact=desk.contact, on_support_page=True).count() == TRIES
    assert f"failed sign-in on the support page as {desk.contact}" in caplog.text
    assert wrong(code) not in caplog.text


def test_tries_that_come_at_once_are_counted_as_if_they_came_one_by_one(client: Client, desk: Desk):  # P1
    ask(client, desk.contact.email)
    SignInCode.objects.update(tries=TRIES)  # by others with the same session, after it was read
    code = mailed_code(desk.contact.email)
    assert "of no use any more" in client.post(CODE, {"code": code}, follow=True).content.decode()


def test_a_code_is_of_no_use_after_ten_minutes(client: Client, desk: Desk):  # P1
    with time_machine.travel(NOW, tick=False) as clock:
        ask(client, desk.contact.email)
        clock.shift(GOOD_FOR)
        code = {"code": mailed_code(desk.contact.email)}
        assert "of no use any more" in client.post(CODE, code, follow=True).content.decode()


@pytest.mark.parametrize("change", ["left", "no help desk", "company left", "another address", "no address"])
def test_whoever_may_no_longer_sign_in_is_out_at_the_next_request(customer: Client, desk: Desk, change: str):  # P1, D9
    assert customer.get(HOME).status_code == 200
    contact = Contact.objects.filter(pk=desk.contact.pk)
    {
        "left": lambda: contact.update(active=False),
        "no help desk": lambda: contact.update(is_help_desk=False),
        "company left": lambda: Company.objects.filter(pk=desk.company.pk).update(active=False),
        "another address": lambda: contact.update(email="who.comes.after@acme.example.com"),
        "no address": lambda: contact.update(email=""),
    }[change]()
    assert customer.get(HOME).headers["Location"] == SIGN_IN


def test_an_address_of_two_companies_chooses_between_them_and_no_other(client: Client, desk: Desk):  # P1
    other = desk.other_company.contacts.get(is_help_desk=True)
    Contact.objects.filter(pk=other.pk).update(email=desk.contact.email.upper())
    page = sign_in_by_code(client, desk.contact.email)
    assert "For which company?" in page.content.decode()
    assert "of Globex" in client.post("/support/company/", {"contact": other.pk}, follow=True).content.decode()
    stranger = build_company("Initech").contacts.get(is_help_desk=True)
    assert client.post("/support/company/", {"contact": stranger.pk}).status_code == 404


def test_sessions_of_the_two_entrances_open_nothing_of_each_other(customer: Client, desk: Desk):  # P1
    support = customer.cookies[SUPPORT_COOKIE].value
    assert customer.get(reverse("admin:index")).status_code == 302
    staff = signed_in(User.objects.create_superuser("root", password="secret"))
    admin = staff.cookies["sessionid"].value
    assert staff.get(reverse("admin:index")).status_code == 200
    assert staff.get(HOME).headers["Location"] == SIGN_IN
    # Neither does the key of one in the cookie of the other.
    swapped = Client()
    swapped.cookies["sessionid"], swapped.cookies[SUPPORT_COOKIE] = support, admin
    assert swapped.get(reverse("admin:index")).status_code == 302
    assert swapped.get(HOME).status_code == 302
    # Both go on side by side in one browser.
    both = signed_in(desk.technician)
    both.cookies[SUPPORT_COOKIE] = support
    assert both.get(reverse("admin:index")).status_code == 200
    assert "Cases of Acme" in both.get(HOME).content.decode()
    both.post("/support/sign-out/")
    assert both.get(reverse("admin:index")).status_code == 200


def test_the_session_cookie_of_the_support_page_goes_nowhere_else(client: Client, desk: Desk):  # P1
    ask(client, desk.contact.email)
    cookie = client.cookies[SUPPORT_COOKIE]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/support/", True, "Lax")
    assert "sessionid" not in client.cookies


def test_a_session_ends_unused_and_in_any_case_after_some_days(client: Client, desk: Desk, settings):  # P1
    settings.SESSION_COOKIE_AGE, settings.DESK_SESSION_ENDS_AFTER_DAYS = 3600, 1
    with time_machine.travel(NOW, tick=False) as clock:
        sign_in_by_code(client, desk.contact.email)
        for _ in range(48):
            assert client.get(HOME).status_code == 200
            clock.shift(timedelta(minutes=30))
        assert client.get(HOME).status_code == 200
        clock.shift(timedelta(minutes=1))
        assert client.get(HOME).status_code == 302
        sign_in_by_code(client, desk.contact.email)
        clock.shift(timedelta(minutes=61))
        assert client.get(HOME).status_code == 302


def test_too_many_tries_are_slowed_by_who_asks_and_by_the_address(desk: Desk):  # P1
    answers = [Client().post(SIGN_IN, {"email": f"stranger{number}@example.com"}).status_code for number in range(11)]
    assert answers == [302] * 10 + [429]
    assert Client().post(SIGN_IN, {"email": "a@example.com"}, REMOTE_ADDR="192.0.2.7").status_code == 302
    cache.clear()
    for address in (desk.contact.email, "stranger@example.com"):  # the same for both
        answers = [
            Client().post(SIGN_IN, {"email": address}, REMOTE_ADDR=f"192.0.2.{number}").status_code
            for number in range(6)
        ]
        assert answers == [302] * 5 + [429]


def test_failed_tries_of_customers_are_seen_beside_those_of_staff(client: Client, desk: Desk):  # P1
    ask(client, desk.contact.email)
    client.post(CODE, {"code": "1"})
    page = signed_in(desk.manager).get(reverse("admin:contacts_failedsignin_changelist")).content.decode()
    assert str(desk.contact) in page
    assert signed_in(desk.technician).get(reverse("admin:contacts_failedsignin_changelist")).status_code == 403


def test_one_comes_back_to_the_page_one_wanted_and_to_none_elsewhere(client: Client, desk: Desk):  # P1
    asked = client.get("/support/passkeys/")
    assert asked.headers["Location"] == f"{SIGN_IN}?next=%2Fsupport%2Fpasskeys%2F"
    ask(client, desk.contact.email)
    there = {"code": mailed_code(desk.contact.email), "next": "/support/passkeys/"}
    assert client.post(CODE, there).headers["Location"] == "/support/passkeys/"
    for elsewhere in ("https://evil.example/support/", "//evil.example/support/", "/admin/", "javascript:alert(1)"):
        visitor = Client()
        ask(visitor, desk.contact.email, headers={"X-Forwarded-For": "192.0.2.1"})
        cache.clear()
        sent = {"code": mailed_code(desk.contact.email), "next": elsewhere}
        assert visitor.post(CODE, sent).headers["Location"] == HOME


def test_a_part_of_a_page_sends_the_whole_page_to_the_sign_in(client: Client):  # P1
    answer = client.get("/support/passkeys/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, f"{SIGN_IN}?next=%2Fsupport%2Fpasskeys%2F")


def test_a_page_is_in_the_language_of_the_contact_whatever_the_browser_asks_for(customer, desk: Desk):  # P7
    def language(header: str = "en") -> str:
        return customer.get(HOME, headers={"Accept-Language": header}).headers["Content-Language"]

    assert language("ja") == "en"
    Contact.objects.filter(pk=desk.contact.pk).update(language=Language.JAPANESE)
    assert language("en") == "ja"
    Contact.objects.filter(pk=desk.contact.pk).update(language=Language.GERMAN)
    assert language("ja") == "en"
    stranger = Client()
    assert stranger.get(SIGN_IN, headers={"Accept-Language": "ja"}).headers["Content-Language"] == "ja"
    assert stranger.get(f"{SIGN_IN}?language=en", headers={"Accept-Language": "ja"}).headers["Content-Language"] == "en"
    assert stranger.get(SIGN_IN, headers={"Accept-Language": "ja"}).headers["Content-Language"] == "en"
    assert signed_in(desk.technician).get("/admin/", headers={"Accept-Language": "ja"}).context["LANGUAGE_CODE"] == "en"


def test_pages_cost_the_same_few_statements_and_are_kept_by_no_cache(customer: Client, desk: Desk):  # P1
    # session, contact; people to choose from, cases, the address at other companies, whether there is any case
    assert queries_of_page(customer, HOME) == 8
    assert queries_of_page(Client(), SIGN_IN) == 0
    assert "no-store" in customer.get(HOME).headers["Cache-Control"]


def test_the_support_page_has_a_host_name_of_its_own_if_one_is_set(customer: Client, desk: Desk, settings):  # P1
    settings.SUPPORT_HOST, settings.ALLOWED_HOSTS = "support.example.com", ["support.example.com", "desk.example.com"]
    there, elsewhere = {"HTTP_HOST": "support.example.com"}, {"HTTP_HOST": "desk.example.com"}
    assert customer.get(HOME, **there).status_code == 200
    assert customer.get("/", **there).headers["Location"] == HOME
    assert customer.get(HOME, **elsewhere).status_code == 404
    staff = signed_in(desk.technician)
    assert staff.get("/admin/", **elsewhere).status_code == 200
    for address in ("/admin/", "/admin/login/"):
        assert staff.get(address, **there).status_code == 404
    assert Client().get("/healthz", **there).status_code == 200


def test_the_policy_of_the_support_page_lets_nothing_inline_run(client: Client):  # P1
    policy = client.get(SIGN_IN).headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "camera=()" in client.get(SIGN_IN).headers["Permissions-Policy"]
    missing = client.get("/support/nothing/")
    assert missing.status_code == 404
    assert 'href="/support/"' in missing.content.decode()
    assert "/admin/" not in missing.content.decode()


def test_codes_and_failed_tries_of_long_ago_are_deleted(client: Client, desk: Desk):
    ask(client, desk.contact.email)
    forget_old_tries()
    assert SignInCode.objects.count() == 1
    SignInCode.objects.update(asked_at=timezone.now() - KEPT_FOR - timedelta(days=1))
    forget_old_tries()
    assert not SignInCode.objects.exists()
