"""The corpus of raw messages through the whole inbox: what each matches and sets off; nothing breaks it (M5)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cases.enums import AbsenceState, Direction, Door, MailStatus, ReceivedKind, ReceivedOutcome, Status, WaitReason
from cases.files.store import path_of
from cases.inbox.receive import receive
from cases.models import Absence, Case, Interaction, Mail, ReceivedMail
from cases.workflow import transitions
from contacts.models import Contact
from tests.cases.mail.incoming.samples import SAMPLES
from tests.cases.mail.incoming.samples.build import Sample
from tests.support.builders import NOON, Desk, reload
from tests.support.examples import ALL_EXAMPLES
from tests.support.mails import AUTH_SERVER, proven

pytestmark = pytest.mark.django_db

ANN = "ann@customer.example"
#: The Message-ID of what the bounces of the corpus return.
RETURNED = "<case-4711-9@desk.example>"


@pytest.fixture
def waiting(desk: Desk, settings: Any) -> Case:
    """A case of Ann, who was asked by the mail that the corpus answers and returns."""
    settings.MAIL_AUTH_SERVER = [AUTH_SERVER]
    Contact.objects.filter(pk=desk.contact.pk).update(email=ANN)
    case = desk.open_case(NOON)
    transitions.ask_customer(case.pk, desk.technician, NOON, question="Which?", reason=WaitReason.INFORMATION)
    Mail.objects.filter(template="question").update(message_id=RETURNED, status=MailStatus.SENT, sent_at=NOON)
    return reload(case)


def delivered(sample: Sample) -> bytes:
    """The message as our server hands it over: Ann proven, in answer to our question."""
    above = f"Authentication-Results: {proven(ANN)['Authentication-Results']}\nIn-Reply-To: {RETURNED}\n"
    return above.encode() + sample.raw.lstrip()


#: Bounces and delays that return our own mail, so that we know which; of the others nothing comes (M5a).
RETURNS_OURS = {
    "bounce-postfix",
    "bounce-sendmail",
    "bounce-exim",
    "bounce-exchange",
    "bounce-gmail",
    "bounce-ses",
    "bounce-original-recipient",
    "bounce-quota",
    "bounce-expired",
    "bounce-two-recipients",
    "bounce-failed-and-delayed",
    "bounce-no-null-return-path",
    "bounce-japanese",
    "bounce-exchange-html",
    "bounce-qmail",
    "bounce-exim-words",
    "bounce-gmail-words",
    "bounce-utf8-address",
    "delay-postfix",
    "delay-exchange",
    "delay-gmail",
}
#: Words of a person whom nothing proves to be Ann, or who cannot be read: somebody has to look (M5a).
TRIAGE = {
    "person-by-the-group-address",
    "person-is-postmaster",
    "person-mail-administrator",
    "broken-empty",
    "broken-noise",
    "broken-blank-lines",
    "broken-no-sender",
    "broken-from-parentheses",
    "broken-two-senders",
    "broken-sender-in-the-name",
    "broken-sender-before-the-sender",
}
#: What a sample sets off by its kind, if neither list names it.
BY_KIND = {
    "person": ReceivedOutcome.LOGGED,
    "out_of_office": ReceivedOutcome.ABSENCE,
    "automatic": ReceivedOutcome.NOTHING,
    "bounce": ReceivedOutcome.NOTHING,
    "delay": ReceivedOutcome.NOTHING,
}
BY_KIND_OF_OURS = {"bounce": ReceivedOutcome.BOUNCE, "delay": ReceivedOutcome.DELAY}


def expected(sample: Sample) -> ReceivedOutcome:
    """What the rules make of a sample, told by what its author says that it is."""
    if sample.name in TRIAGE:
        return ReceivedOutcome.TRIAGE
    return (BY_KIND_OF_OURS if sample.name in RETURNS_OURS else BY_KIND)[sample.kind]


def test_the_lists_name_samples_that_there_are() -> None:
    assert {sample.name for sample in SAMPLES} >= TRIAGE | RETURNS_OURS


def test_every_sample_sets_off_what_it_should_and_nothing_else(waiting: Case) -> None:  # M5, M6, F5, F6
    outcomes: Counter[str] = Counter()
    for sample in SAMPLES if ALL_EXAMPLES else SAMPLES[::5]:
        with transaction.atomic():
            mail = receive(delivered(sample), NOON, door=Door.COMMAND).mail
            assert mail.outcome == expected(sample), (sample.name, mail.outcome, mail.explanation, mail.proof)
            _check_effect(sample, mail, waiting)
            outcomes[mail.outcome] += 1
            transaction.set_rollback(True)
    assert set(outcomes) >= {
        ReceivedOutcome.LOGGED,
        ReceivedOutcome.ABSENCE,
        ReceivedOutcome.BOUNCE,
        ReceivedOutcome.NOTHING,
        ReceivedOutcome.TRIAGE,
    }


def _check_effect(sample: Sample, mail: ReceivedMail, waiting: Case) -> None:
    words = Interaction.objects.filter(case=waiting, direction=Direction.IN, opened_the_case=False)
    is_logged = mail.outcome == ReceivedOutcome.LOGGED
    assert (words.count(), reload(waiting).status) == ((1, Status.IN_PROGRESS) if is_logged else (0, Status.WAITING)), (
        sample.name
    )
    if is_logged and sample.text:
        assert words.get().body.startswith(sample.text.strip()[:200]), sample.name
    absences = list(Absence.objects.all())
    assert len(absences) == (mail.outcome == ReceivedOutcome.ABSENCE), sample.name
    if absences and sample.away:
        assert absences[0].state in (AbsenceState.READ, AbsenceState.UNREAD)  # as of the day it came in
    bounced = Mail.objects.filter(status=MailStatus.BOUNCED).count()
    assert bounced == (mail.outcome == ReceivedOutcome.BOUNCE), sample.name
    assert Case.objects.count() == 1, sample.name


SOME = st.sampled_from(SAMPLES)
PIECES = st.sampled_from(
    [
        b"\x00",
        b"\xed\xa0\x80",
        b"\xff\xfe",
        b"\r\r\n",
        b"\n\n",
        b"(((((",
        b'"',
        b"=?utf-8?B?7aCA?=",
        b"=?utf-16?B?2AAAAA==?=",
        b"\x1b$B",
        b"--=_edge_1\n",
        b"Subject: " + b"x" * 5_000 + b"\n",
        b"Message-ID: <" + b"y" * 2_000 + b"@x>\n",
        b"From: " + b"z" * 400 + b"@" + b"w" * 400 + b"\n",
        b"From: Ann\xed\xa0\x80\x00 <ann@customer.example>\n",
        b"References: " + b"<a@b> " * 500 + b"\n",
    ]
)
CHANGES = st.lists(st.tuples(st.sampled_from(["insert", "cut", "double"]), st.integers(0, 10**6), PIECES), max_size=6)


def mutated(raw: bytes, changes: list[tuple[str, int, bytes]]) -> bytes:
    for how, at, piece in changes:
        at %= len(raw) + 1
        if how == "insert":
            raw = raw[:at] + piece + raw[at:]
        elif how == "cut":
            raw = raw[:at] + raw[at + len(piece) :]
        else:
            raw = raw[:at] + raw[at // 2 : at] + raw[at:]
    return raw


@settings(
    max_examples=400 if ALL_EXAMPLES else 20,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(SOME, CHANGES, st.booleans())
def test_whatever_comes_in_is_stored_with_exactly_one_outcome(
    waiting: Case, sample: Sample, changes: list[tuple[str, int, bytes]], top: bool
) -> None:  # M5, M7
    raw = mutated(delivered(sample) if top else sample.raw, changes)
    with transaction.atomic():
        mail = receive(raw, NOON, door=Door.COMMAND).mail
        kept = ReceivedMail.objects.get()
        assert (kept.pk, kept.outcome in ReceivedOutcome.values, kept.kind in ReceivedKind.values) == (
            mail.pk,
            True,
            True,
        )
        assert "error of the desk" not in kept.explanation, kept.explanation
        assert path_of(kept.stored_as).read_bytes() == raw
        path_of(kept.stored_as).unlink()
        transaction.set_rollback(True)
