"""The few addresses beside the admin."""

from django.test import Client


def test_the_front_door_leads_to_the_admin(client: Client):
    answer = client.get("/")
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")


def test_the_icon_that_browsers_ask_for_is_our_own(client: Client):
    answer = client.get("/favicon.ico")
    assert (answer.status_code, answer["Location"]) == (302, "/static/desk/favicon.svg")
