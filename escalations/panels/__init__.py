"""What escalation has to show on the pages of cases and on the dashboard."""

from escalations.panels import clock, forecast, promises, questions, requests, timeline


def register() -> None:
    """Put everything in its place; called once, when the app is ready."""
    requests.register()  # what waits for a decision comes first
    clock.register()
    promises.register()
    questions.register()
    timeline.register()
    forecast.register()
