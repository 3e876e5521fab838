"""Staff sign in with a password, a second factor where there is one, or a passkey (A3)."""

from __future__ import annotations

import logging
import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from django.urls import NoReverseMatch, reverse

from cases.models import Mail
from contacts.models import FailedSignIn, User
from tests.support.builders import Desk
from tests.support.pages import signed_in
from tests.support.queries import queries_of_page

pytestmark = pytest.mark.django_db
LOGIN, SECOND, SET_UP = "/admin/login/", "/admin/account/authenticate/", "/admin/account/"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture
def root(desk: Desk) -> User:
    return User.objects.create_superuser("root", password="secret", email="root@example.com")


def code(secret: str = SECRET, ahead: int = 0) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + ahead))


def add_app(user: User) -> None:
    from config.sign_in import StaffFactors  # noqa: PLC0415

    Authenticator.objects.create(
        user=user, type=Authenticator.Type.TOTP, data={"secret": StaffFactors().encrypt(SECRET)}
    )


def type_password(client: Client, name: str, password: str = "secret", **more: Any) -> Any:
    return client.post(f"{LOGIN}?next=/admin/cases/case/", {"username": name, "password": password}, **more)


def test_without_a_second_factor_the_password_opens_the_page_one_wanted(client: Client, desk: Desk):  # A3
    assert type_password(client, "tech").headers["Location"] == "/admin/cases/case/"
    assert client.get("/admin/cases/case/").status_code == 200


def test_with_an_authenticator_app_the_password_alone_opens_nothing(client: Client, desk: Desk):  # A3
    add_app(desk.technician)
    assert type_password(client, "tech").headers["Location"] == SECOND
    assert client.get("/admin/").status_code == 302
    assert "Incorrect code" in client.post(SECOND, {"code": "000000"}).content.decode()
    right = code()
    assert client.post(SECOND, {"code": right}).headers["Location"] == "/admin/cases/case/"
    assert client.get("/admin/").status_code == 200
    again = Client()
    type_password(again, "tech")
    assert again.post(SECOND, {"code": right}).status_code == 200  # a code is good once


def test_a_wrong_second_factor_is_kept_like_a_wrong_password(client: Client, desk: Desk, caplog):  # A3
    add_app(desk.technician)
    type_password(client, "tech")
    with caplog.at_level(logging.WARNING, logger="contacts.sign_ins"):
        client.post(SECOND, {"code": "000000"})
    assert FailedSignIn.objects.get().user == desk.technician
    assert "failed sign-in as tech" in caplog.text
    assert "000000" not in caplog.text


def test_second_factors_are_limited_too(client: Client, desk: Desk):  # A3
    add_app(desk.technician)
    type_password(client, "tech")
    pages = [client.post(SECOND, {"code": "000000"}).content.decode() for _ in range(11)]
    assert ["tried too often" in page for page in pages] == [False] * 10 + [True]
    assert "tried too often" in client.post(SECOND, {"code": code()}).content.decode()


def test_a_recovery_code_is_good_once(client: Client, desk: Desk):  # A3
    add_app(desk.technician)
    spare = RecoveryCodes.activate(desk.technician).get_unused_codes()[0]
    type_password(client, "tech")
    assert client.post(SECOND, {"code": spare}).status_code == 302
    again = Client()
    type_password(again, "tech")
    assert again.post(SECOND, {"code": spare}).status_code == 200


def test_secrets_are_kept_encrypted_also_over_a_change_of_the_secret_key(client: Client, desk: Desk, settings):  # A3
    add_app(desk.technician)
    assert SECRET not in str(Authenticator.objects.get().data)
    former = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another-key", [former]
    type_password(client, "tech")
    assert client.post(SECOND, {"code": code()}).status_code == 302


def test_an_app_is_added_after_the_password_is_typed_again_and_its_owner_is_told(
    desk: Desk, django_capture_on_commit_callbacks
):  # A3, M1
    client = signed_in(desk.technician)
    asked = client.get("/admin/account/totp/activate/")
    assert asked.headers["Location"].startswith("/admin/account/password/")
    client.post(asked.headers["Location"], {"password": "secret"})
    page = client.get("/admin/account/totp/activate/")
    secret = page.context["form"].secret
    with django_capture_on_commit_callbacks(execute=True):
        done = client.post("/admin/account/totp/activate/", {"code": code(secret)})
    assert done.headers["Location"] == "/admin/account/recovery-codes/"
    assert len(client.get("/admin/account/recovery-codes/").context["unused_codes"]) == 10
    told = Mail.objects.get(template="second_factor_changed")
    assert (told.to_address, told.facts["change"]) == (desk.technician.email, "An authenticator app was added")


@pytest.mark.parametrize(("setting", "free"), [("off", "mrta"), ("managers", "ta"), ("everybody", "")])
def test_whoever_needs_a_second_factor_sets_it_up_before_anything_opens(
    desk: Desk, root: User, settings, setting: str, free: str
):  # A3
    settings.DESK_SECOND_FACTOR = setting
    case = desk.open_case()
    people = {"m": desk.manager, "r": root, "t": desk.technician, "a": desk.account_manager}
    for name, user in people.items():
        client = signed_in(user)
        for address in ("/admin/", case.get_absolute_url(), "/admin/password_change/"):
            answer = client.get(address)
            assert (answer.status_code, answer.headers.get("Location")) == (
                (200, None) if name in free else (302, SET_UP)
            )
        page = client.get(SET_UP)
        assert ("Your role needs a second factor" in page.content.decode()) == (name not in free)


def test_with_the_second_factor_shown_the_desk_opens(client: Client, desk: Desk, settings):  # A3
    settings.DESK_SECOND_FACTOR = "managers"
    add_app(desk.manager)
    type_password(client, desk.manager.username)
    client.post(SECOND, {"code": code()})
    assert client.get("/admin/").status_code == 200
    # Another one in the same browser has to show their own.
    client.post("/admin/logout/")
    type_password(client, desk.csm.username)
    assert client.get("/admin/").headers["Location"] == SET_UP


def test_without_the_last_second_factor_the_desk_is_shut_again(client: Client, desk: Desk, settings):  # A3
    settings.DESK_SECOND_FACTOR = "everybody"
    add_app(desk.technician)
    type_password(client, "tech")
    client.post(SECOND, {"code": code()})
    client.post("/admin/account/reauthenticate/", {"code": code(ahead=1)})
    assert client.post("/admin/account/totp/deactivate/").status_code == 302
    assert not Authenticator.objects.exists()
    assert client.get("/admin/").headers["Location"] == SET_UP


def test_an_administrator_resets_a_second_factor_and_nobody_else_does(client: Client, desk: Desk, root: User):  # A3
    add_app(desk.technician)
    RecoveryCodes.activate(desk.technician)
    theirs, others = signed_in(desk.technician), signed_in(desk.csm)
    address = reverse("admin:contacts_user_reset_second_factor", args=[desk.technician.pk])
    for nobody in (desk.manager, desk.technician, desk.coo):
        assert signed_in(nobody).post(address).status_code == 403
        page = signed_in(nobody).get(reverse("admin:contacts_user_change", args=[desk.technician.pk]))
        assert "Reset the second factor" not in page.content.decode()
    admin_client = signed_in(root)
    page = admin_client.get(reverse("admin:contacts_user_change", args=[desk.technician.pk]))
    assert "Reset the second factor" in page.content.decode()
    assert admin_client.get(address).status_code == 405
    assert admin_client.post(address).status_code == 302
    assert not Authenticator.objects.exists()
    assert LogEntry.objects.get().change_message == "Reset the second factor."
    assert Mail.objects.get().facts["by"] == "root"
    assert theirs.get("/admin/").status_code == 302
    assert others.get("/admin/").status_code == 200


def test_whoever_left_or_is_only_written_to_cannot_sign_in(client: Client, desk: Desk):  # A3, D9
    User.objects.filter(pk=desk.technician.pk).update(is_active=False)
    User.objects.filter(pk=desk.coo.pk).update(is_staff=False)
    for name in ("tech", "coo"):
        assert type_password(client, name).status_code == 200
    assert not Session.objects.filter(session_data__contains="auth").exists()
    assert client.get("/admin/").status_code == 302


def test_names_and_addresses_are_slowed_after_ten_tries_with_the_same_words(desk: Desk):  # A3
    for name in ("tech", "nobody-has-this-name"):
        cache.clear()
        pages = [
            type_password(Client(), name, "wrong", REMOTE_ADDR=f"192.0.2.{number}").content.decode()
            for number in range(11)
        ]
        assert ["tried too often" in page for page in pages] == [False] * 10 + [True]
    cache.clear()
    for number in range(10):
        type_password(Client(), f"name{number}", "wrong")
    assert "tried too often" in type_password(Client(), "tech").content.decode()
    assert type_password(Client(), "tech", REMOTE_ADDR="192.0.2.99").status_code == 302


def test_the_right_password_uses_up_no_try(desk: Desk):  # A3
    assert [type_password(Client(), "tech").status_code for _ in range(12)] == [302] * 12


def test_pages_of_sign_up_and_addresses_do_not_exist(client: Client):  # P1, A3
    for name in ("account_signup", "account_email", "account_reset_password", "account_request_login_code"):
        with pytest.raises(NoReverseMatch):
            reverse(name)
    for address in ("/admin/account/signup/", "/accounts/login/", "/admin/account/webauthn/signup/"):
        assert client.get(address, follow=True).redirect_chain or client.get(address).status_code == 404
    registered = {model._meta.label for model in admin.site._registry}
    assert not {label for label in registered if label.startswith(("account.", "mfa."))}


def test_the_pages_of_second_factors_are_for_whoever_is_signed_in(client: Client, desk: Desk):  # A3
    for address in (SET_UP, "/admin/account/webauthn/", "/admin/account/recovery-codes/"):
        assert client.get(address).status_code in (302, 404)
    mine = signed_in(desk.technician)
    add_app(desk.manager)
    assert "is not active" in mine.get(SET_UP).content.decode()


def test_what_is_known_of_the_second_factor_costs_pages_no_statement(desk: Desk, settings):  # A3
    address = desk.open_case().get_absolute_url()
    client = signed_in(desk.manager)
    before = queries_of_page(client, address)
    settings.DESK_SECOND_FACTOR = "managers"
    session = client.session
    session["second_factor_of"] = desk.manager.pk
    session.save()
    assert queries_of_page(client, address) == before
