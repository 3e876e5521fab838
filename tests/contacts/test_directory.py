"""Whom a message for a role is for (D4), and who gets it when nobody can (D5)."""

from __future__ import annotations

import pytest

from contacts.directory import Directory, directory_problems, once_each
from contacts.enums import MANAGEMENT_ROLES, Role
from contacts.models import Company, RoleHolder, User
from tests.support.builders import Desk, build_centre, build_company, build_user

pytestmark = pytest.mark.django_db


def _hold(role: Role, holder: User | None) -> None:
    RoleHolder.objects.filter(role=role, centre=None).update(holder=holder)


def _addresses(role: Role, desk: Desk, centre_id: int | None = None) -> list[str]:
    return [one.address for one in Directory().for_role(role, centre_id, desk.company)]


@pytest.mark.parametrize("role", MANAGEMENT_ROLES)
def test_a_role_is_reached_through_its_holder(desk: Desk, role: Role) -> None:  # D4
    (one,) = Directory().for_role(role, desk.centre.pk)
    assert (one.address, one.meant_for) == (f"{role.value}@example.com", "")


def test_a_centre_with_a_holder_of_its_own_comes_before_the_general_one(desk: Desk) -> None:  # D4
    tokyo = build_centre("Tokyo", "JP", "Asia/Tokyo")
    RoleHolder.objects.create(role=Role.CSM, centre=tokyo, holder=build_user(Role.CSM, "tokyo-csm"))
    assert _addresses(Role.CSM, desk, tokyo.pk) == ["tokyo-csm@example.com"]
    assert _addresses(Role.CSM, desk, desk.centre.pk) == ["csm@example.com"]


def test_the_account_manager_is_that_of_the_company(desk: Desk) -> None:  # D4
    assert _addresses(Role.ACCOUNT_MANAGER, desk) == ["am@example.com"]


def test_a_role_with_nobody_falls_to_the_support_manager_and_says_whom_it_was_meant_for(desk: Desk) -> None:  # D5
    _hold(Role.COO, None)
    (one,) = Directory().for_role(Role.COO, None)
    assert one.address == desk.manager.email
    assert one.meant_for == "Chief operating officer (nobody)"


@pytest.mark.parametrize("fields", [{"is_active": False}, {"email": ""}])
def test_a_holder_who_cannot_be_written_to_does_not_swallow_a_message(desk: Desk, fields: dict) -> None:  # D5
    User.objects.filter(pk=desk.csm.pk).update(**fields)
    (one,) = Directory().for_role(Role.CSM, None)
    assert one.address == desk.manager.email
    assert one.meant_for == "Customer service manager (csm)"


def test_a_company_without_an_account_manager_falls_to_the_support_manager(desk: Desk) -> None:  # D5
    lonely = build_company("Initech")
    (one,) = Directory().for_role(Role.ACCOUNT_MANAGER, None, lonely)
    assert (one.address, one.meant_for) == (desk.manager.email, "Account manager of Initech (nobody)")


def test_without_a_support_manager_every_superuser_is_told(desk: Desk) -> None:  # D5
    for name in ("root", "toor"):
        User.objects.create_superuser(name, email=f"{name}@example.com")
    _hold(Role.SUPPORT_MANAGER, None)
    _hold(Role.COO, None)
    assert _addresses(Role.COO, desk) == ["root@example.com", "toor@example.com"]
    assert _addresses(Role.SUPPORT_MANAGER, desk) == ["root@example.com", "toor@example.com"]


def test_a_centre_whose_support_manager_left_falls_to_the_general_one(desk: Desk) -> None:  # D5
    RoleHolder.objects.create(
        role=Role.SUPPORT_MANAGER, centre=desk.centre, holder=build_user(Role.SUPPORT_MANAGER, "gone", is_active=False)
    )
    assert _addresses(Role.SUPPORT_MANAGER, desk, desk.centre.pk) == [desk.manager.email]


def test_an_address_is_written_to_once_whatever_its_capitals(desk: Desk) -> None:  # E5
    first = Directory().for_role(Role.CSM, None)
    shouted = [type(first[0])(first[0].address.upper(), "again")]
    assert once_each([*first, *shouted]) == first


def test_a_complete_directory_has_no_problems(desk: Desk) -> None:  # D5, F3
    Company.objects.update(subdivision="BE")
    assert directory_problems() == []


def test_every_problem_is_a_sentence_that_names_it(desk: Desk) -> None:  # D5
    RoleHolder.objects.filter(role=Role.COO).delete()
    _hold(Role.CSM, None)
    User.objects.filter(pk=desk.director.pk).update(is_active=False)
    User.objects.filter(pk=desk.manager.pk).update(email="")
    build_company("Initech")
    Company.objects.update(subdivision="BE")
    assert sorted(directory_problems()) == [
        "Account manager of Initech: nobody holds it; messages go to the fallback.",
        "Customer service director: cs_director is inactive; messages go to the fallback.",
        "Customer service manager: nobody holds it; messages go to the fallback.",
        "Nobody holds the role Chief operating officer; its messages go to the fallback.",
        "Support manager: support_manager has no email address; messages go to the fallback.",
    ]


def test_the_problems_cost_the_same_queries_however_many_there_are(desk: Desk, django_assert_num_queries) -> None:
    for number in range(20):
        build_company(f"Customer {number}", subdivision="BE" if number % 2 else "")
    with django_assert_num_queries(8):
        assert len(directory_problems()) == 21


def test_a_place_whose_region_is_missing_is_a_problem_one_sentence_a_country(desk: Desk) -> None:  # F3
    Company.objects.update(subdivision="BE")
    for number in range(7):
        build_company(f"Customer {number}", country="GB", time_zone="Europe/London", account_manager=desk.csm)
    build_company("Sakura", country="JP", time_zone="Asia/Tokyo", account_manager=desk.csm)  # the same everywhere
    build_company("Gone", country="FR", time_zone="Europe/Paris", active=False)
    build_company("Known", country="CH", subdivision="ZH", time_zone="Europe/Zurich", account_manager=desk.csm)
    assert directory_problems() == [
        "Public holidays in GB differ by region: choose the subdivision of Customer 0, Customer 1, Customer 2, "
        "Customer 3, Customer 4 and 2 more. Until then only holidays that most of its regions keep are counted."
    ]
