"""What escalation has to show on the pages of cases and on the dashboard."""

from escalations.panels import clock, questions, requests


def register() -> None:
    """Put everything in its place; called once, when the app is ready."""
    clock.register()
    questions.register()
    requests.register()
