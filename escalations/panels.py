"""What escalation has to show on the pages of cases and on the dashboard."""

from escalations.forecast import panel as forecast
from escalations.points import panel as clock
from escalations.questions import panel as questions
from escalations.requests import panel as requests
from escalations.sla import panel as promises
from escalations.sla import timeline


def register() -> None:
    """Put everything in its place; called once, when the app is ready."""
    requests.register()  # what waits for a decision comes first
    clock.register()
    promises.register()
    questions.register()
    timeline.register()
    forecast.register()
