"""Parts of the theme's frame that a screen reader can go to."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.filter
def with_main(frame: SafeString, part: str = "main") -> SafeString:
    """The frame of a page, rendered, with its element of this id as the main landmark: the theme has none."""
    return mark_safe(frame.replace(f'<div id="{part}"', f'<div id="{part}" role="main"', 1))
