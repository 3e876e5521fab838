"""The digest is switched off from the mail without a sign-in, by a signed address that does nothing else (RFC 8058)."""

from __future__ import annotations

import pytest
from django.core.signing import Signer
from django.test import Client
from django.test.utils import override_settings
from django.urls import reverse

from contacts.models import User
from escalations.daily_digest.mail import reader_of_token, switch_off_url
from tests.support.builders import Desk
from tests.support.pages import signed_in

pytestmark = pytest.mark.django_db

SWITCH = reverse("admin:contacts_company_daily_digest")


def address_of(user: User) -> str:
    return "/" + switch_off_url(user).split("/", 3)[3]


def is_on(user: User) -> bool:
    return bool(User.objects.get(pk=user.pk).daily_digest)


def test_opening_the_address_changes_nothing_and_shows_one_button(desk: Desk) -> None:  # W4: scanners open links
    answer = Client().get(address_of(desk.account_manager))
    page = answer.content.decode()
    assert (answer.status_code, page.count("<button"), page.count("<form")) == (200, 1, 1)
    assert "Switch off the daily digest?" in page
    assert "no-store" in answer["Cache-Control"]
    assert is_on(desk.account_manager)


def test_a_mail_program_switches_it_off_without_cookie_or_token(desk: Desk) -> None:  # W4
    client = Client(enforce_csrf_checks=True)
    for _ in range(2):
        answer = client.post(address_of(desk.account_manager), {"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
        assert "The daily digest is off" in answer.content.decode()
    assert not is_on(desk.account_manager)
    assert is_on(desk.customer_engineer)
    assert "sessionid" not in client.cookies
    assert "The daily digest is off" in client.get(address_of(desk.account_manager)).content.decode()


def test_only_an_address_that_we_signed_works(desk: Desk) -> None:
    key, _, signature = address_of(desk.account_manager).strip("/").split("/")[-1].partition(".")
    foreign = [
        f"{desk.customer_engineer.pk}.{signature}",
        f"{key}.",
        f"{key}.{signature[:-1]}x",
        Signer(sep=".", salt="something else").sign(key),
        Signer(sep=".", salt="escalations.daily_digest.off").sign("999999"),
        "x" * 300,
    ]
    for token in foreign:
        address = reverse("daily_digest_off", args=[token])
        assert Client().get(address).status_code == 404
        assert Client().post(address).status_code == 404
    assert User.objects.filter(daily_digest=False).count() == 0


def test_it_takes_no_other_method(desk: Desk) -> None:
    for method in ("put", "patch", "delete", "options"):
        assert getattr(Client(), method)(address_of(desk.account_manager)).status_code == 405


def test_a_former_secret_key_still_switches_it_off(desk: Desk, settings) -> None:  # type: ignore[no-untyped-def]
    token = address_of(desk.account_manager).strip("/").split("/")[-1]
    with override_settings(SECRET_KEY="a new one", SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
        assert reader_of_token(token) == desk.account_manager
    with override_settings(SECRET_KEY="a new one"):
        assert reader_of_token(token) is None


def test_it_is_switched_on_again_on_ones_own_desk(desk: Desk) -> None:  # W4
    client = signed_in(desk.account_manager)
    assert "Switch it off" in client.get(reverse("admin:index")).content.decode()
    assert client.post(SWITCH, {"on": "no"}).status_code == 302
    assert not is_on(desk.account_manager)
    assert "Switch it on" in client.get(reverse("admin:index")).content.decode()
    client.post(SWITCH, {"on": "yes"})
    assert is_on(desk.account_manager)


@pytest.mark.parametrize("who", ["technician", "manager", "csm"])
def test_who_looks_after_no_company_has_no_such_switch(desk: Desk, who: str) -> None:  # A2
    assert signed_in(getattr(desk, who)).post(SWITCH, {"on": "no"}).status_code == 403
    assert signed_in(getattr(desk, who)).get(SWITCH).status_code == 405
    assert is_on(getattr(desk, who))


def test_a_stranger_signs_in_first(desk: Desk) -> None:
    answer = Client().post(SWITCH, {"on": "no"})
    assert answer.status_code == 302
    assert reverse("admin:login") in answer["Location"]
