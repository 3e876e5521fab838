"""A mail service instead of a mail server: what it is given, and what it reports (M1, M2)."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from anymail.exceptions import AnymailRequestsAPIError
from django.core import mail as django_mail
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client
from requests import Response

from cases.enums import MailStatus
from cases.mail.outbox import deliver
from cases.mail.service import OUR_ID
from cases.models import Mail, MailCircuit
from config.environment import Environment
from config.mail_service import report_urls
from tests.support.builders import NOON, Desk
from tests.support.post_office import HandClock, many, queue

pytestmark = pytest.mark.django_db


def test_an_address_names_the_service_and_variables_its_keys() -> None:
    env = Environment({"EMAIL_URL": "anymail://Mailgun", "ANYMAIL_MAILGUN_API_KEY": "key"})
    assert env.mail("EMAIL_URL") == {"EMAIL_BACKEND": "anymail.backends.mailgun.EmailBackend"}
    assert env.mail_service("EMAIL_URL") == "mailgun"
    assert env.named("ANYMAIL_") == {"MAILGUN_API_KEY": "key"}
    assert env.problems == []


@pytest.mark.parametrize("url", ["anymail://", "anymail://nobody", "anymail://base", "anymail://../settings"])
def test_an_unknown_service_is_a_problem_and_no_mail_is_thrown_away(url: str) -> None:  # S4
    env = Environment({"EMAIL_URL": url})
    assert env.mail("EMAIL_URL")["EMAIL_HOST"] == "mail.invalid"
    assert env.mail_service("EMAIL_URL") == ""
    (problem,) = env.problems
    assert "mail service that is not known" in problem.sentence


def test_without_a_secret_there_is_no_address_for_reports() -> None:
    assert report_urls("postmark", "") == report_urls("", "desk:secret") == []
    (address,) = report_urls("postmark", "desk:secret")
    assert address.name == "postmark_tracking_webhook"


# --- what it reports ---------------------------------------------------------------------------------------------

REPORTS = "/mail-service/postmark/tracking/"


@pytest.fixture
def sent(desk: Desk, settings: Any) -> Mail:
    """A message that a service has taken, with a secret for its reports."""
    settings.ROOT_URLCONF = "tests.support.mail_service_urls"
    settings.ANYMAIL = {"WEBHOOK_SECRET": "desk:secret"}
    case = desk.open_case()
    Mail.objects.all().delete()
    (mail,) = queue(case, "a@example.com")
    Mail.objects.update(status=MailStatus.SENT, sent_at=NOON)
    return mail


def report(client: Client, mail: Mail, secret: str = "desk:secret", **what: Any) -> int:
    """Post a report of Postmark's about a message."""
    body = {"MessageID": "of-its-own", "Recipient": mail.to_address, "Metadata": {OUR_ID: mail.message_id}, **what}
    authorization = f"Basic {base64.b64encode(secret.encode()).decode()}"
    answer = client.post(REPORTS, body, content_type="application/json", headers={"Authorization": authorization})
    mail.refresh_from_db()
    return answer.status_code


BOUNCE = {"RecordType": "Bounce", "Type": "HardBounce", "Email": "a@example.com", "Details": "550 5.1.1 unknown"}


def test_a_bounce_marks_the_message_and_tells_the_owner_once(client: Client, sent: Mail) -> None:  # M2
    for _ in range(2):
        assert report(client, sent, **BOUNCE) == 200
    assert (sent.status, sent.last_error) == (MailStatus.BOUNCED, "550 5.1.1 unknown")
    assert Mail.objects.filter(template="mail_failed").count() == 1


def test_a_delivery_is_noted_with_its_moment(client: Client, sent: Mail) -> None:  # M1
    assert report(client, sent, RecordType="Delivery", DeliveredAt="2026-06-03T12:01:00Z", Details="250 ok") == 200
    assert sent.status == MailStatus.SENT
    assert sent.delivered_at is not None


def test_a_complaint_is_noted_and_is_no_bounce(client: Client, sent: Mail) -> None:
    complaint = {"RecordType": "SpamComplaint", "Type": "SpamComplaint", "Email": "a@example.com"}
    assert report(client, sent, **complaint) == 200
    assert (sent.status, sent.last_error) == (MailStatus.SENT, "Its reader called it spam.")


@pytest.mark.parametrize("secret", ["desk:wrong", "", "nobody"])
def test_whoever_has_not_the_secret_changes_nothing(client: Client, sent: Mail, secret: str) -> None:  # M5a
    assert report(client, sent, secret=secret, **BOUNCE) == 400
    assert sent.status == MailStatus.SENT


def test_a_report_about_no_message_of_ours_changes_nothing(client: Client, sent: Mail) -> None:  # M5a
    assert report(client, sent, Metadata={OUR_ID: "<somebody@else.example>"}, **BOUNCE) == 200
    assert report(client, sent, Metadata={}, **BOUNCE) == 200
    assert sent.status == MailStatus.SENT


# --- what it is given --------------------------------------------------------------------------------------------


class Service(EmailBackend):
    """A mail service that answers with an HTTP status: one after the other, and 422 to messages for `refused`."""

    answers: list[int] = []
    refused: str = ""

    def send_messages(self, messages: Any) -> int:
        """Take them, or raise what anymail raises."""
        status = self.answers.pop(0) if self.answers else 422 if messages[0].to == [self.refused] else 200
        if status != 200:
            answer = Response()
            answer.status_code, answer.reason = status, "no"
            raise AnymailRequestsAPIError("It said no", status_code=status, response=answer)
        return super().send_messages(messages)


@pytest.fixture
def service(settings: Any) -> type[Service]:
    settings.EMAIL_BACKEND, settings.MAIL_IS_KEPT = f"{__name__}.Service", False
    Service.answers, Service.refused = [], ""
    django_mail.outbox = []
    return Service


def test_a_service_gets_the_message_id_as_its_own_data(desk: Desk, service: type[Service]) -> None:
    (mail,) = queue(desk.open_case(), "a@example.com")
    deliver(HandClock())
    message = next(one for one in django_mail.outbox if one.to == ["a@example.com"])
    assert message.metadata == {OUR_ID: mail.message_id}


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_a_service_that_refuses_us_or_is_down_has_its_circuit_opened(
    desk: Desk, service: type[Service], status: int
) -> None:  # M2
    case = desk.open_case()
    Mail.objects.all().delete()
    queue(case, *many(3))
    service.answers = [status]
    deliver(HandClock())
    assert set(Mail.objects.values_list("status", "attempts")) == {(MailStatus.QUEUED, 0)}
    assert MailCircuit.objects.get().error == f"HTTP {status}: It said no"


def test_a_message_that_a_service_refuses_fails_alone(desk: Desk, service: type[Service]) -> None:  # M2
    case = desk.open_case()
    Mail.objects.all().delete()
    first, *_ = queue(case, *many(40))
    service.refused = first.to_address  # whichever of the connections it goes over
    deliver(HandClock())
    assert Mail.objects.get(pk=first.pk).status == MailStatus.FAILED
    assert Mail.objects.filter(status=MailStatus.SENT).count() == 40  # and the owner is told
