"""The mail that the desk has written since a moment in a test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from cases.models import Mail


class Outbox:
    """What has been written since it was made."""

    def __init__(self) -> None:
        self._before = set(Mail.objects.values_list("pk", flat=True))
        self._counted: set[int] = set()

    def rows(self) -> list[Mail]:
        return list(Mail.objects.exclude(pk__in=self._before).order_by("pk"))

    def all(self) -> dict[tuple[str, str], int]:
        """(template, name of the address) -> how many."""
        return _counts(self.rows())

    def new(self) -> dict[tuple[str, str], int]:
        """The same, of what has been written since this was last asked."""
        return _counts(self._take())

    def letters(self) -> list[tuple[str, str]]:
        """(template, address) of what has been written since this was last asked, in order."""
        return [(mail.template, mail.to_address) for mail in self._take()]

    def _take(self) -> list[Mail]:
        rows = [mail for mail in self.rows() if mail.pk not in self._counted]
        self._counted |= {mail.pk for mail in rows}
        return rows


def _counts(rows: Iterable[Mail]) -> dict[tuple[str, str], int]:
    """Without “@example.com”, and without “.example.com” of a customer's address."""
    names = ((mail.template, mail.to_address.removesuffix(".example.com")) for mail in rows)
    return dict(Counter((template, name.removesuffix("@example.com")) for template, name in names))
