"""Addresses in the text of a mail are links, whatever stands around them (M4)."""

from __future__ import annotations

from django.template.defaultfilters import urlize
from hypothesis import given
from hypothesis import strategies as st

from cases.templatetags.mail_text import linked
from tests.support.examples import examples

PIECES = st.sampled_from(
    [
        *("http://", "https://", "www.", ".com", ".org", "mailto:", "x@y.example", "[::1]", "13:00"),
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
