"""Charts as inline SVG: no script, readable in print, and every bar a link (W4)."""

from __future__ import annotations

from typing import Any

from django import template

from escalations.policy.charts import Drawing

register = template.Library()


@register.inclusion_tag("admin/escalations/reports/chart.html")
def chart(drawing: Drawing, key: str) -> dict[str, Any]:
    """Draw it; `key` tells it from the other charts of the page."""
    return {"chart": drawing, "key": key}
