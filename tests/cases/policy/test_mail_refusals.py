"""Whose trouble a refusal is, by what real servers answer (M2)."""

import pytest

from cases.policy.mail_refusals import Whose, whose_refusal

OWN, SERVER, UNCLEAR = Whose.OWN, Whose.SERVER, Whose.UNCLEAR


@pytest.mark.parametrize(
    ("code", "reply", "whose"),
    [
        (550, "5.1.1 <a@b.example>: Recipient address rejected: User unknown in virtual mailbox table", OWN),
        (550, "5.1.1 The email account that you tried to reach does not exist.\n5.1.1 Please try", OWN),
        (550, "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found", OWN),
        (552, "5.2.2 mailbox full", OWN),
        (552, "5.3.4 Message size exceeds fixed limit", OWN),
        (554, "5.6.0 Message content rejected", OWN),
        (550, "no such user", OWN),
        (550, "Unrouteable address", OWN),
        (550, "Requested action not taken: mailbox unavailable", OWN),
        (553, "sorry, that domain isn't in my list", OWN),
        (554, "5.7.1 <a@b.example>: Relay access denied", SERVER),
        (550, "5.7.1 Client does not have permissions to send as this sender", SERVER),
        (554, "5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", SERVER),
        (550, "5.1.8 Bad sender's system address", SERVER),
        (530, "5.7.0 Authentication required", SERVER),
        (530, "Must issue a STARTTLS command first", SERVER),
        (535, "authentication failed", SERVER),
        (550, "relay not permitted", SERVER),
        (550, "blocked", SERVER),
        (550, "Your IP 5.1.1.1 is on our list", SERVER),
        (550, "no", UNCLEAR),
        (554, "Transaction failed", UNCLEAR),
        (550, "5.4.1 Recipient address rejected: Access denied", UNCLEAR),
        (550, "5.5.0 Requested action not taken", UNCLEAR),
        (550, "", UNCLEAR),
    ],
)
def test_whose_refusal_it_is(code, reply, whose):  # M2
    assert whose_refusal(code, reply) is whose
