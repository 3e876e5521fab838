"""The templates of mail are compiled for a language, and say what Django's own say in it (M4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.template import Context, Node, Template, VariableDoesNotExist, base
from django.template.base import VariableNode
from django.template.loader import get_template
from django.templatetags.i18n import TranslateNode
from django.utils import translation

from cases.mail import rendering
from cases.mail.rendering import render
from cases.mail.samples import sample_mail
from cases.mail.templates import template_in, translated
from tests.cases.mail.test_samples import ENGLISH_AND_JAPANESE, OTHERWISE

LABEL = '{% translate ": " context "after a label" as colon %}'


def nodes_of(template: Template, kind: type[Node]) -> Iterator[Any]:
    return (node for node in template.nodelist.get_nodes_by_type(kind))


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "language"), ENGLISH_AND_JAPANESE)
def test_a_mail_reads_as_if_it_were_translated_as_it_is_rendered(
    name: str, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mails = [sample_mail(name, language)]
    for facts in (facts for template, facts in OTHERWISE if template == name):
        mails.append(sample_mail(name, language))
        mails[-1].facts |= facts
    compiled = [render(mail) for mail in mails]
    monkeypatch.setattr(rendering, "template_in", lambda language, name: get_template(name).template)
    assert [render(mail) for mail in mails] == compiled


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["reassigned", "message", "password_changed"])
def test_the_layouts_ask_for_no_variable_that_is_not_there(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each costs an exception, twice in every mail."""
    asked = []

    class Missing(VariableDoesNotExist):
        def __init__(self, message: str, params: tuple[Any, ...] = ()) -> None:
            asked.append(params[0])
            super().__init__(message, params)

    monkeypatch.setattr(base, "VariableDoesNotExist", Missing)
    render(sample_mail(name))
    assert asked == []


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("layout", ["mail/layout.txt", "mail/layout.html"])
def test_labels_are_translated_once(layout: str, language: str) -> None:
    """What is left to translate in each mail are the words that a fact holds."""
    template = template_in(language, layout)
    left = [node for node in nodes_of(template, TranslateNode) if not node.asvar]
    assert {node.filter_expression.token for node in left} == {"case.severity", "case.status", "question"}
    assert "colon" not in {node.filter_expression.token for node in nodes_of(template, VariableNode)}


def test_languages_and_others_who_use_a_template_are_kept_apart() -> None:
    english, japanese = (template_in(language, "mail/layout.txt") for language in ("en", "ja"))
    assert english.nodelist is not japanese.nodelist
    shared = get_template("mail/layout.txt").template  # type: ignore[attr-defined]
    assert any(not node.asvar for node in nodes_of(shared, TranslateNode))
    assert template_in("en", "mail/layout.txt") is english


@pytest.mark.parametrize(
    "source",
    [
        LABEL + "{% if never %}{% translate 'Case' as colon %}{% endif %}{{ colon }}",
        "{% if never %}{% translate 'Case' as word %}{% endif %}[{{ word }}]",
        LABEL + "{% if colon %}yes{% endif %}{{ colon|upper }}",
        "{% autoescape off %}{{ raw }}{% translate '<b>' %}{% endautoescape %}{{ raw }}",
        "{% filter linebreaksbr %}{% translate 'Kind regards,' %}{% endfilter %}",
        "{% filter upper %}{{ raw }}{% endfilter %}{% blocktranslate %}Hello {{ raw }},{% endblocktranslate %}",
        "{% for one in many %}{% translate 'Case' %}{{ one }}{% empty %}{% translate 'Status' %}{% endfor %}",
        "{% translate 'Case'|lower %}{% translate raw %}{% blocktranslate %}100%{% endblocktranslate %}",
    ],
)
@pytest.mark.parametrize("language", ["en", "ja"])
def test_what_is_set_escaped_or_repeated_stays_so(source: str, language: str) -> None:
    facts, source = {"raw": "<i>", "many": ["a", "b"]}, "{% load i18n %}" + source
    with translation.override(language):
        expected = Template(source).render(Context(facts))
        assert translated(Template(source), language).render(Context(facts)) == expected
