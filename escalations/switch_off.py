"""What somebody gets by mail is switched off from the mail itself, by a signed address and without signing in (W4, RFC
8058).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods


@dataclass(frozen=True)
class SwitchOff:
    """The addresses that switch one kind of mail off: they do nothing else and do not expire.

    `salt` keeps an address of one kind from being one of another, and stays as it is: addresses are in mails.
    """

    url_name: str
    salt: str

    @property
    def _signer(self) -> Signer:
        return Signer(sep=".", salt=self.salt)

    def url(self, key: int) -> str:
        """The whole address for the row of this key."""
        return settings.SITE_URL + reverse(self.url_name, args=[self._signer.sign(str(key))])

    def key_of(self, token: str) -> int | None:
        """The key in an address, signed with the secret key or a former one; None for an address nobody signed."""
        try:
            return int(self._signer.unsign(token))
        except (BadSignature, ValueError):
            return None


def from_a_mail(view: Callable[[HttpRequest, str], HttpResponse]) -> Callable[[HttpRequest, str], HttpResponse]:
    """Decorate the view behind such an address. A GET has to change nothing, because mail scanners open links; the POST
    is what mail programs send by themselves, and the one button. The signed address is the proof: a mail program has no
    token of ours.
    """
    return csrf_exempt(never_cache(require_http_methods(["GET", "HEAD", "POST"])(view)))
