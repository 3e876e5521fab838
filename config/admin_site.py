"""The admin site: Unfold's, with pages that keep their address when a model is renamed."""

from django.urls import URLPattern, URLResolver, include, path
from unfold.sites import UnfoldAdminSite

#: The address Django derives from a model's name -> the address people have bookmarked.
ADDRESSES = {
    "cases/failedcase/": "cases/setaside/",
    "cases/sweeprun/": "cases/pulse/",
    "escalations/slatarget/": "escalations/promise/",
}


class DeskAdminSite(UnfoldAdminSite):
    """Unfold's site with the addresses above."""

    def get_urls(self) -> list[URLPattern | URLResolver]:
        return [
            path(ADDRESSES[str(url.pattern)], include(url.url_patterns)) if str(url.pattern) in ADDRESSES else url
            for url in super().get_urls()
        ]
