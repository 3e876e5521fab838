"""Whoever leaves owns no open case silently, and whoever cannot sign in gets none (D9)."""

from __future__ import annotations

import pytest
from django.urls import reverse

from cases.enums import Resolution
from cases.guards import NotAllowed, Refused
from cases.models import CaseWatcher, Mail
from cases.workflow import transitions
from cases.workflow.handing_on import give_on_cases
from contacts.directory import directory_problems
from contacts.enums import Level, Role
from contacts.models import Technician, User
from tests.contacts.test_directory_pages import filled_in, page
from tests.support.builders import NOON, Desk, build_technician, build_user, reload
from tests.support.pages import signed_in

pytestmark = pytest.mark.django_db


def leave(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)
    user.refresh_from_db()


# --- the cases of who leaves ------------------------------------------------------------------------------------


def test_making_an_owner_inactive_says_what_they_leave_behind(desk: Desk):  # D9
    for _ in range(3):
        desk.open_case()
    client, address = signed_in(desk.manager), page("user", desk.technician.pk, of="change")
    sent = filled_in(client.get(address))
    del sent["is_active"]
    answer = client.post(address, sent, follow=True).content.decode()
    assert "tech is inactive and still owns 3 open cases." in answer
    assert reverse("admin:contacts_user_give_on", args=[desk.technician.pk]) in answer
    assert any(problem.startswith("tech has left and still owns 3 open cases.") for problem in directory_problems())
    assert "tech has left and still owns 3 open cases." in client.get("/admin/").content.decode()


def test_open_cases_are_given_on_one_by_one_by_the_rules_of_a_new_one(desk: Desk):  # D9, C6
    others = [build_technician(desk.centre, name=name) for name in ("tina", "tom")]
    User.objects.filter(pk__in=[other.pk for other in others]).update(is_active=False)
    cases = [desk.open_case() for _ in range(4)]
    transitions.resolve(cases[3].pk, desk.technician, NOON, resolution=Resolution.NOT_PURSUED)
    User.objects.filter(pk__in=[other.pk for other in others]).update(is_active=True)
    leave(desk.technician)
    given = give_on_cases(desk.technician, desk.manager, NOON, reason="Tech left us.")
    assert (given.given, given.left) == (3, ())
    owners = [str(reload(case).owner) for case in cases]
    assert sorted(owners[:3]) in (["tina", "tina", "tom"], ["tina", "tom", "tom"])
    assert owners[3] == "tech"
    assert Mail.objects.filter(template="reassigned").count() == 3
    assert not CaseWatcher.objects.filter(user=desk.technician).exists()


def test_the_cases_of_an_l3_go_to_an_l3(desk: Desk):  # D9, E7
    case = desk.open_case()
    transitions.reassign(case.pk, desk.manager, NOON, owner=desk.l3, reason="Deep.")
    other = build_technician(desk.centre, Level.L3, "deep")
    leave(desk.l3)
    give_on_cases(desk.l3, desk.manager, NOON, reason="Left.")
    assert reload(case).owner == other


def test_open_cases_are_given_to_one_who_is_named_from_the_page_of_who_left(desk: Desk):  # D9
    case, other = desk.open_case(), build_technician(desk.centre, name="tina")
    leave(desk.technician)
    client, address = signed_in(desk.manager), reverse("admin:contacts_user_give_on", args=[desk.technician.pk])
    assert "1 open case" in client.get(page("user", desk.technician.pk, of="change")).content.decode()
    assert client.post(address, {"to": other.pk}).status_code == 422
    answer = client.post(address, {"to": other.pk, "reason": "Tech left us."}, follow=True)
    assert "1 open case of tech given on." in answer.content.decode()
    assert reload(case).owner == other


def test_cases_for_whom_there_is_nobody_stay_and_are_named(desk: Desk):  # D9
    case = desk.open_case()
    leave(desk.technician)
    given = give_on_cases(desk.technician, desk.manager, NOON, reason="Left.")
    assert (given.given, given.left) == (0, (case.number,))
    assert reload(case).owner == desk.technician


def test_only_who_reassigns_gives_cases_on(desk: Desk):  # A1
    address = reverse("admin:contacts_user_give_on", args=[desk.technician.pk])
    assert signed_in(desk.l3).post(address, {"reason": "x"}).status_code == 403
    with pytest.raises(NotAllowed):
        give_on_cases(desk.technician, desk.l3, NOON, reason="x")
    with pytest.raises(Refused, match="Say why"):
        give_on_cases(desk.technician, desk.manager, NOON, reason=" ")


# --- who cannot sign in -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("lacks", ["password", "no_password", "is_staff", "is_active"])
def test_no_case_goes_to_who_cannot_sign_in(desk: Desk, lacks: str):  # D9
    user = desk.technician
    if lacks == "password":
        user.set_unusable_password()
    elif lacks == "no_password":
        user.password = ""
    else:
        setattr(user, lacks, False)
    user.save()
    assert not user.can_sign_in
    assert user not in User.objects.able_to_sign_in()
    case = desk.open_case(actor=desk.l3)
    assert case.owner == desk.manager  # the only L2 is off duty
    with pytest.raises(Refused, match="no active technician who can sign in"):
        transitions.reassign(case.pk, desk.manager, NOON, owner=user, reason="x")
    said = " ".join(directory_problems())
    assert ("Technicians who cannot sign in: tech." in said) == (lacks != "is_active")


# --- a technician is one record to whoever creates them ---------------------------------------------------------


def test_a_technician_is_created_in_one_form(desk: Desk):  # D9
    client = signed_in(desk.manager)
    sent = filled_in(client.get(page("user", of="add"))) | {
        "username": "nina",
        "email": "nina@example.com",
        "role": Role.TECHNICIAN.value,
        "technician-0-level": "L3",
        "technician-0-centre": desk.centre.pk,
        "technician-0-languages": ["en", "ja"],
        "technician-0-on_duty": "on",
    }
    assert client.post(page("user", of="add"), sent).status_code == 302
    nina = Technician.objects.get(user__username="nina")
    assert (nina.level, nina.centre, nina.languages, nina.on_duty) == ("L3", desk.centre, ["en", "ja"], True)
    assert nina.history.get().history_user == desk.manager


def test_a_technician_of_whom_too_little_is_known_is_a_problem_that_is_shown(desk: Desk):  # D9
    before = directory_problems()
    nina = build_user(Role.TECHNICIAN, "nina")
    new = [problem for problem in directory_problems() if problem not in before]
    assert new == [
        "Technicians of whom level, centre and languages are not known: nina. "
        "No case goes to them; fill it in on their page under Staff."
    ]
    Technician.objects.create(user=nina, centre=desk.centre)
    assert "Technicians of whom no language is known: nina." in " ".join(directory_problems())
    Technician.objects.filter(user=nina).update(languages=["en"])
    assert directory_problems() == before
    assert new[0] not in signed_in(desk.manager).get(page("roleholder")).content.decode()


def test_nobody_who_left_is_suggested_for_a_role_but_their_cases_are_found(desk: Desk):  # D9
    leave(desk.coo)
    client = signed_in(desk.manager)

    def suggested(app: str, model: str, field: str) -> list[str]:
        asked = {"app_label": app, "model_name": model, "field_name": field, "term": "coo"}
        return [row["text"] for row in client.get("/admin/autocomplete/", asked).json()["results"]]

    assert suggested("contacts", "roleholder", "holder") == []
    assert suggested("cases", "case", "owner") == ["coo"]
