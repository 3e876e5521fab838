"""Whatever a form accepts as an address can be mailed; what cannot is refused there, with a sentence."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.forms import modelform_factory

from contacts.addresses import ascii_address, is_mailable, validate_mailable
from contacts.models import Contact, User

MAILABLE = {
    "info@müller.example": "info@xn--mller-kva.example",
    "info@MÜLLER.example": "info@xn--mller-kva.example",
    "info@xn--mller-kva.example": "info@xn--mller-kva.example",
    "taro@日本語.jp": "taro@xn--wgv71a119e.jp",
    "taro@ｅｘａｍｐｌｅ.jp": "taro@example.jp",
    "o'neil+desk@example.com": "o'neil+desk@example.com",
    '"a,b"@example.com': '"a,b"@example.com',
    '"a@b"@example.com': '"a@b"@example.com',
}
REFUSED = {
    "müller@example.com": "letters that mail servers do not take",
    f"{'x' * 65}@example.com": "longer than the 64 characters",
    '"a\x07b"@example.com': "letters that mail servers do not take",
    "info@straße.example": "in its xn-- form",
    f"info@{'ü' * 60}.example": "in its xn-- form",
}


@pytest.mark.parametrize(("address", "mailed"), MAILABLE.items())
def test_an_address_that_is_accepted_is_mailed_by_its_ascii_form(address, mailed):
    assert is_mailable(address)
    assert ascii_address(address) == mailed


@pytest.mark.parametrize(("address", "why"), REFUSED.items())
def test_an_address_that_cannot_be_mailed_is_refused_with_a_sentence(address, why):  # S4
    assert not is_mailable(address)
    with pytest.raises(ValidationError, match=why):
        validate_mailable(address)


@pytest.mark.parametrize("model", [Contact, User])
def test_the_forms_of_people_refuse_it(model):
    form = modelform_factory(model, fields=["email"])({"email": "info@straße.example"})
    assert any("xn-- form" in said for said in form.errors["email"])
