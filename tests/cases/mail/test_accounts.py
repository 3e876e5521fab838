"""Passwords of staff: changed by themselves, by a mailed link or by an administrator, and by nobody else (A3)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core import mail as sent_mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cases.mail.outbox import deliver
from cases.models import Mail
from contacts.enums import Role
from contacts.models import User
from tests.contacts.test_directory_pages import filled_in, page
from tests.support.builders import Desk, build_user
from tests.support.pages import signed_in

pytestmark = pytest.mark.django_db

FORGOTTEN = "/admin/password/forgotten/"
NEW = "x9-long-enough"


@pytest.fixture
def root(desk: Desk) -> User:
    return User.objects.create_superuser("root", password="secret", email="root@example.com")


def ask(address: str) -> Any:
    return Client().post(FORGOTTEN, {"email": address}, follow=True)


def link_to(user: User) -> str:
    """The path of the link that is on its way."""
    mail = Mail.objects.get(template="password_link", to_address=user.email)
    return mail.facts["url"].partition("8000")[2]


def choose_password(link: str, password: str = NEW) -> Any:
    client = Client()
    form = client.get(link, follow=True)
    address = form.redirect_chain[-1][0] if form.redirect_chain else link
    return client.post(address, {"new_password1": password, "new_password2": password}, follow=True)


def test_the_sign_in_page_leads_to_a_link_that_sets_a_password_once(desk: Desk):  # A3
    assert FORGOTTEN in Client().get("/admin/login/").content.decode()
    assert ask(desk.coo.email).status_code == 200
    link = link_to(desk.coo)
    assert "Your password is set" in choose_password(link).content.decode()
    desk.coo.refresh_from_db()
    assert desk.coo.check_password(NEW)
    told = Mail.objects.get(template="password_changed")
    assert (told.to_address, told.facts["by"]) == (desk.coo.email, "")
    assert "used already, or it is too old" in choose_password(link, "another-long-one").content.decode()


def test_known_and_unknown_addresses_get_the_same_answer(desk: Desk):  # A3
    pages = [ask(address) for address in (desk.coo.email, "stranger@example.com")]
    bodies = [re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", page.content.decode()) for page in pages]
    assert bodies[0] == bodies[1]
    assert "If somebody here has this address" in bodies[0]
    assert Mail.objects.count() == 1


def test_a_link_is_mailed_once_for_tries_in_a_row(desk: Desk):  # A3
    for _ in range(3):
        ask(desk.coo.email.upper())
    assert Mail.objects.filter(template="password_link").count() == 1


def test_who_left_or_only_is_written_to_gets_no_link(desk: Desk):  # A3, D9
    User.objects.filter(pk=desk.coo.pk).update(is_active=False)
    build_user(Role.CSM, "reader", is_staff=False)
    ask(desk.coo.email)
    ask("reader@example.com")
    assert not Mail.objects.exists()


def test_nobody_reads_the_link_in_the_outbox_and_it_is_forgotten_when_it_has_left(
    desk: Desk, root: User, settings: Any
):  # A3
    ask(desk.coo.email)
    mail = Mail.objects.get()
    for reader in (desk.manager, desk.technician, desk.csm, desk.coo):
        assert mail not in Mail.objects.visible_to(reader)
        assert signed_in(reader).get(f"/admin/cases/mail/{mail.pk}/change/").status_code == 404
    assert mail in Mail.objects.visible_to(root)
    link = link_to(desk.coo)
    settings.MAIL_IS_KEPT = False
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    deliver(timezone.now)
    assert link in sent_mail.outbox[0].body
    mail.refresh_from_db()
    assert (mail.status, mail.facts, mail.text, mail.html) == ("sent", {}, "", "")


def test_a_support_manager_sets_nobodys_password_but_an_administrator_does(desk: Desk, root: User):  # A3
    address = reverse("admin:auth_user_password_change", args=[desk.coo.pk])
    sent = {"password1": NEW, "password2": NEW, "usable_password": "true", "set-password": "yes"}
    assert signed_in(desk.manager).get(address).status_code == 403
    assert signed_in(desk.manager).post(address, sent).status_code == 403
    desk.coo.refresh_from_db()
    assert desk.coo.check_password("secret")
    assert not Mail.objects.exists()
    assert signed_in(root).post(address, sent).status_code == 302
    desk.coo.refresh_from_db()
    assert desk.coo.check_password(NEW)
    told = Mail.objects.get(template="password_changed")
    assert (told.to_address, told.facts["by"]) == (desk.coo.email, "root")


def test_a_support_manager_cannot_have_somebodys_link_sent_elsewhere(desk: Desk):  # A3
    client, address = signed_in(desk.manager), page("user", desk.coo.pk, of="change")
    sent = filled_in(client.get(address)) | {"email": "mine@example.com", "username": "mine", "phone": "1"}
    client.post(address, sent)
    desk.coo.refresh_from_db()
    assert (desk.coo.email, desk.coo.username, desk.coo.phone) == ("coo@example.com", "coo", "1")
    assert "algorithm" not in client.get(address).content.decode()


def test_whoever_changes_their_own_password_is_told(desk: Desk):  # A3
    sent = {"old_password": "secret", "new_password1": NEW, "new_password2": NEW}
    assert signed_in(desk.technician).post("/admin/password_change/", sent).status_code == 302
    assert Mail.objects.get().to_address == desk.technician.email


def test_new_staff_of_a_support_manager_choose_their_password_by_a_link(desk: Desk):  # A3
    client = signed_in(desk.manager)
    form = client.get(page("user", of="add"))
    assert "password1" not in form.content.decode()
    sent = filled_in(form) | {"username": "nina", "email": "nina@example.com", "role": Role.CSM.value}
    assert client.post(page("user", of="add"), sent).status_code == 302
    nina = User.objects.get(username="nina")
    assert not nina.can_sign_in
    choose_password(link_to(nina))
    nina.refresh_from_db()
    assert nina.can_sign_in
