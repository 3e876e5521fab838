"""Addresses in the text of a mail are links, whatever stands around them (M4)."""

from __future__ import annotations

import pytest
from django.template.defaultfilters import urlize
from hypothesis import given
from hypothesis import strategies as st

from cases.templatetags import mail_text
from cases.templatetags.mail_text import linked
from tests.support.examples import examples

PIECES = st.sampled_from(
    [
        *("http://", "https://", "www.", ".com", ".org", "mailto:", "x@y.example", "[::1]", "13:00"),
        *("HTTPS://", "WWW.", ".Net", ".co", ".m", "&#58;", "&amp;", ";"),
        *("a", "é", "1", "/", ":", ".", "@", "<b>", "&", '"', "'", " ", "\n", "()"),
    ]
)


@examples(500)
@given(st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=40))
def test_a_text_is_linked_as_urlize_links_it(text: str) -> None:
    assert linked(text) == urlize(text, autoescape=True)


def test_an_address_becomes_a_link_and_plain_words_are_escaped() -> None:
    assert 'href="https://desk.example.com/a"' in linked("See https://desk.example.com/a.")
    assert linked("A < B. That is all.") == "A &lt; B. That is all."


def test_a_time_of_day_is_not_searched_for_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nearly every mail names one, and the search costs more than the rest of the paragraph."""

    def urlize_nothing(text: str) -> str:
        raise AssertionError(text)

    monkeypatch.setattr(mail_text, "urlize", urlize_nothing)
    text = "It is due on Wed 3 June 2026, 13:00 (Berlin, UTC+02:00). Version 2.5, e.g. <b>."
    assert linked(text) == text.replace("<b>", "&lt;b&gt;")
