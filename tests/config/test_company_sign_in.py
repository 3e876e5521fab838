"""Staff sign in with the account of their company, which makes nobody a member of staff (A3, A1)."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from cases.models import Mail
from config.environment import Environment
from contacts.models import FailedSignIn, User
from tests.support.builders import Desk
from tests.support.pages import signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

START, CALLBACK, LOGIN = (
    "/admin/account/company/staff/login/",
    "/admin/account/company/staff/login/callback/",
    "/admin/login/",
)


class Company:
    """The server of a company, which says of everybody who comes that they are `person`."""

    def __init__(self) -> None:
        self.person: dict[str, Any] = {"sub": "4711", "email": "tech@example.com", "email_verified": True}
        self.is_up = True
        self.challenge = ""
        company = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.answer(company.told(urlsplit(self.path).path, self.headers.get("Authorization", "")))

            def do_POST(self) -> None:
                sent = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                self.answer(company.token(sent))

            def answer(self, said: dict[str, Any] | None) -> None:
                self.send_response(200 if said is not None else 503)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(said).encode())

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def told(self, path: str, authorization: str) -> dict[str, Any] | None:
        if not self.is_up:
            return None
        if path.endswith("openid-configuration"):
            pages = {f"{name}_endpoint": f"{self.url}/{name}" for name in ("authorization", "token", "userinfo")}
            return {"issuer": self.url, "jwks_uri": f"{self.url}/keys", **pages}
        return self.person if authorization == "Bearer t0k3n" else None

    def token(self, sent: dict[str, list[str]]) -> dict[str, Any] | None:
        proof = (
            base64.urlsafe_b64encode(hashlib.sha256(sent["code_verifier"][0].encode()).digest()).decode().rstrip("=")
        )
        right = (sent["code"], sent["client_secret"], proof) == (["c0de"], ["s3cret"], self.challenge)
        return {"access_token": "t0k3n", "token_type": "Bearer"} if right else None


@pytest.fixture
def company(settings: Any, desk: Desk) -> Iterator[Company]:
    server = Company()
    settings.OIDC_URL, settings.OIDC_NAME = server.url, "Example Ltd"
    app = {"provider_id": "staff", "name": "Example Ltd", "client_id": "desk", "secret": "s3cret"}
    settings.SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app | {"settings": {"server_url": server.url}}]}
    }
    yield server
    server.server.shutdown()
    server.server.server_close()


def come_back(client: Client, company: Company, start: str = START) -> Any:
    """Go to the company's server and come back with its code."""
    there = urlsplit(client.get(start).headers["Location"])
    assert f"{there.scheme}://{there.netloc}{there.path}" == f"{company.url}/authorization"
    sent = parse_qs(there.query)
    assert (sent["client_id"], sent["code_challenge_method"]) == (["desk"], ["S256"])
    assert sent["redirect_uri"] == [f"http://testserver{CALLBACK}"]
    company.challenge = sent["code_challenge"][0]
    return client.get(CALLBACK, {"code": "c0de", "state": sent["state"][0]})


def said(client: Client) -> str:
    return client.get(LOGIN).content.decode()


def test_the_sign_in_page_leads_there_and_back_to_the_page_one_wanted(client: Client, company: Company) -> None:
    page = client.get(f"{LOGIN}?next=/admin/cases/case/").content.decode()
    assert "Sign in with Example Ltd" in page
    assert f'href="{START}?next=%2Fadmin%2Fcases%2Fcase%2F"' in page
    answer = come_back(client, company, f"{START}?next=/admin/cases/case/")
    assert answer.headers["Location"] == "/admin/cases/case/"
    assert client.get("/admin/cases/case/").context["user"].username == "tech"
    mail = Mail.objects.get(template="second_factor_changed")
    assert (mail.to_address, mail.facts["change"][:31]) == ("tech@example.com", "The account of your company was")


def test_without_a_server_nothing_leads_there(client: Client, desk: Desk) -> None:
    assert "company_login" not in client.get(LOGIN).content.decode()


def test_whoever_came_once_is_known_by_their_account_and_not_by_their_address(client: Client, company: Company) -> None:
    come_back(client, company)
    client.logout()
    company.person |= {"email": "new.name@example.com"}
    come_back(client, company)
    assert client.get("/admin/").context["user"].username == "tech"
    assert SocialAccount.objects.count() == 1


@pytest.mark.parametrize(
    ("person", "why"),
    [
        ({"email": "stranger@example.com"}, "Nobody at this desk has the address stranger@example.com."),
        ({"email_verified": False}, "does not say that your address is proven"),
        ({"email_verified": None}, "does not say that your address is proven"),
        ({"email": ""}, "does not say that your address is proven"),
    ],
)
def test_nobody_gets_in_who_is_not_proven_to_be_staff(
    client: Client, company: Company, person: dict[str, Any], why: str
) -> None:
    company.person |= person
    before = User.objects.count()
    assert come_back(client, company).headers["Location"] == LOGIN
    assert why in said(client)
    assert client.get("/admin/").status_code == 302
    assert (User.objects.count(), SocialAccount.objects.count()) == (before, 0)
    assert FailedSignIn.objects.count() == 1


def test_an_address_that_two_have_is_nobody_s(client: Client, company: Company, desk: Desk) -> None:
    User.objects.filter(pk=desk.l3.pk).update(email="TECH@example.com")
    come_back(client, company)
    assert "Nobody at this desk has the address" in said(client)


def test_whoever_left_does_not_get_in_by_their_account_either(client: Client, company: Company) -> None:  # D9
    come_back(client, company)
    client.logout()
    User.objects.filter(username="tech").update(is_active=False)
    assert come_back(client, company).headers["Location"] == LOGIN
    assert "This account cannot sign in." in said(client)


def test_a_server_that_is_trusted_need_not_say_that_an_address_is_proven(
    client: Client, company: Company, settings: Any
) -> None:
    settings.OIDC_TRUST_EMAIL = True
    company.person.pop("email_verified")
    come_back(client, company)
    assert client.get("/admin/").context["user"].username == "tech"


def test_whoever_gives_up_or_finds_nobody_there_is_told_so(client: Client, company: Company) -> None:
    sent = parse_qs(urlsplit(client.get(START).headers["Location"]).query)
    assert client.get(CALLBACK, {"error": "access_denied", "state": sent["state"][0]}).headers["Location"] == LOGIN
    assert "Signing in with Example Ltd did not work." in said(client)
    company.is_up = False
    assert client.get(START).headers["Location"] == LOGIN
    assert client.get(CALLBACK, {"code": "c0de", "state": "made up"}).headers["Location"] == LOGIN


def test_somebody_else_s_state_signs_nobody_in(client: Client, company: Company) -> None:
    sent = parse_qs(urlsplit(Client().get(START).headers["Location"]).query)
    company.challenge = sent["code_challenge"][0]
    client.get(CALLBACK, {"code": "c0de", "state": sent["state"][0]})
    assert client.get("/admin/").status_code == 302


def test_a_second_factor_of_the_desk_is_asked_for_unless_the_company_asks_itself(
    client: Client, company: Company, settings: Any, desk: Desk
) -> None:
    settings.DESK_SECOND_FACTOR = "everybody"
    come_back(client, company)
    assert client.get("/admin/cases/case/").headers["Location"].startswith("/admin/account/")
    client.logout()
    settings.OIDC_SECOND_FACTOR = True
    come_back(client, company)
    assert client.get("/admin/cases/case/").status_code == 200


def test_no_account_is_joined_to_whoever_is_signed_in(company: Company, desk: Desk) -> None:
    company.person |= {"email": "stranger@example.com"}
    client = signed_in(desk.technician)
    come_back(client, company, f"{START}?process=connect")
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize(
    ("values", "problems"),
    [
        ({}, []),
        ({"URL": "https://login.example.com/realm/"}, ["E018"]),
        ({"URL": "http://login.example.com", "CLIENT_ID": "desk", "CLIENT_SECRET": "s"}, ["E018"]),
        ({"CLIENT_ID": "desk"}, ["E018"]),
        ({"URL": "https://login.example.com/realm/", "CLIENT_ID": "desk", "CLIENT_SECRET": "s"}, []),
    ],
)
def test_the_server_is_read_from_the_environment(values: dict[str, str], problems: list[str]) -> None:  # S4
    environment = Environment({f"OIDC_{name}": value for name, value in values.items()})
    whole = len(values) == 3 and not problems
    assert environment.issuer("OIDC_") == ("https://login.example.com/realm" if whole else "")
    assert [problem.id for problem in environment.problems] == problems
