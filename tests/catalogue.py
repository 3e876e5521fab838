"""`make catalogue`: bring the catalogue of what customers read in step with the code (M4).

It collects what is to be translated, keeps the translations that there are, and compiles them. New sentences come out
with an empty translation, which `tests/config/test_catalogue.py` then names. The developer's tools have what it needs;
the desk itself reads only the compiled file.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import django
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.template import Template
from django.template.base import Node
from django.template.loader import get_template
from django.templatetags.i18n import BlockTranslateNode, TranslateNode

from cases.enums import Affected, Impact, Severity, Status
from cases.policy.intake import DETAILS
from cases.policy.severity import DEFINITIONS
from contacts.enums import MeansOfContact

#: The languages that the desk writes besides English.
LANGUAGES = [language for language, _ in settings.LANGUAGES if language != settings.LANGUAGE_CODE]
CALLS = {"phrase": None, "gettext": None, "gettext_noop": None, "gettext_lazy": None}
APPS = ("contacts", "cases", "escalations", "config")

#: A message: its context, or None, and its English text.
Key = tuple[str | None, str]


def path_of(language: str) -> Path:
    """Where the translations into a language are edited; the compiled file stands beside it."""
    return settings.BASE_DIR / "config" / "locale" / language / "LC_MESSAGES" / "django.po"


def catalogue_of(language: str) -> Catalog:
    """The translations into a language as they are edited."""
    with path_of(language).open("rb") as file:
        return read_po(file, locale=language)


def compiled(catalogue: Catalog) -> bytes:
    """The file that Django reads."""
    file = io.BytesIO()
    write_mo(file, catalogue)
    return file.getvalue()


def wanted() -> dict[Key, set[str]]:
    """Every message that customers may read, with the files in which it stands."""
    found: dict[Key, set[str]] = {}
    for path, key in [*_in_code(), *_in_templates(), *_in_lists()]:
        found.setdefault(key, set()).add(path)
    return found


def _in_code() -> Iterator[tuple[str, Key]]:
    for app in APPS:
        for path, _, text, _, _ in extract_from_dir(
            settings.BASE_DIR / app,
            method_map=[("**/migrations/**", "ignore"), ("mail/samples.py", "ignore"), ("**.py", "python")],
            keywords=CALLS,
        ):
            yield f"{app}/{path}", (None, text)


def _in_templates() -> Iterator[tuple[str, Key]]:
    folder = settings.BASE_DIR / "templates"
    for path in sorted([*(folder / "mail").rglob("*.*"), *(folder / "support").rglob("*.*")]):
        template: Template = get_template(str(path.relative_to(folder)))
        nodes = [*template.template.nodelist.get_nodes_by_type(Node)]
        for node in nodes:
            for key in _of_node(node):
                yield str(path.relative_to(settings.BASE_DIR)), key


def _of_node(node: Node) -> Iterator[Key]:
    if isinstance(node, TranslateNode):
        text = node.filter_expression.var.literal if hasattr(node.filter_expression.var, "literal") else None
        context = node.message_context.resolve({}) if node.message_context else None
        if isinstance(text, str):
            yield context, text
    elif isinstance(node, BlockTranslateNode):
        text, _ = node.render_token_list(node.singular)
        yield None, text


def _in_lists() -> Iterator[tuple[str, Key]]:
    """Labels and questions that templates translate where they show them."""
    for label in (*Severity.labels, *Status.labels, *Affected.labels, *Impact.labels):
        yield "cases/enums.py", (None, label)
    for label in MeansOfContact.labels:
        yield "contacts/enums.py", (None, label)
    for definition in DEFINITIONS.values():
        yield "cases/policy/severity.py", (None, definition)
    for detail in DETAILS:
        if detail.question:
            yield "cases/policy/intake.py", (None, detail.question)


def is_formatted(text: str) -> bool:
    """Whether the text has gaps."""
    return bool(re.search(r"%\(\w+\)s", text))


def update(language: str) -> list[str]:
    """Bring a language in step and compile it. Returns what is not translated yet."""
    catalogue = catalogue_of(language)
    template = Catalog(creation_date=catalogue.creation_date)
    for (context, text), paths in wanted().items():
        flags = ["python-format"] if is_formatted(text) else []
        template.add(text, locations=[(path, 0) for path in sorted(paths)], context=context, flags=flags)
    catalogue.update(template, no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    catalogue.msgid_bugs_address = catalogue.last_translator = catalogue.language_team = "Support Desk"
    with path_of(language).open("wb") as file:
        write_po(file, catalogue, width=119, sort_by_file=True, include_lineno=False)
    path_of(language).with_suffix(".mo").write_bytes(compiled(catalogue))
    return [str(message.id) for message in catalogue if message.id and not message.string]


def main() -> None:
    """Bring every language in step and say what is missing."""
    for language in LANGUAGES:
        missing = update(language)
        print(f"{path_of(language).relative_to(settings.BASE_DIR)}: {len(missing)} to translate")
        print(*(f"  {text}" for text in missing), sep="\n")


if __name__ == "__main__":
    django.setup()
    main()
