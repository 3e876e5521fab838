"""The whole way of a customer in a real browser, and a chat with a technician in a second one (P1 to P7, issue 13)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from cases.chat.apply import sweep_chats
from cases.enums import Channel, Direction, QueueEnding, Resolution, Status, WaitReason
from cases.models import Attachment, Case, Interaction, Mail, QueueEntry
from cases.queue.apply import sweep_queue
from cases.workflow import transitions
from cases.workflow.contact_log import log_contact
from contacts.entrances import SUPPORT_COOKIE
from contacts.enums import Language
from contacts.models import Contact, Technician
from escalations.models import EscalationRequest
from tests.support.browser import complaints_of, enter, picture
from tests.support.builders import Desk, reload
from tests.support.customers import mailed_code, signed_in_customer

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

#: What axe calls serious or critical.
LOOK = """async () => (await axe.run("html", { resultTypes: ["violations"], preload: false })).violations
  .filter(({ impact }) => ["serious", "critical"].includes(impact))
  .flatMap(({ id, nodes }) => nodes.map((node) => `${id} at ${node.target.flat()}: ${node.failureSummary}`))"""


@pytest.fixture
def windows(browser: Browser, live_server: Any) -> Iterator[Any]:
    """Opens windows; an error of a script, or of the policy, in any of them fails the test."""
    said: list[list[str]] = []

    def window(width: int = 420, **more: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900}, base_url=live_server.url, **more)
        page = context.new_page()
        said.append(complaints_of(page))
        return page

    yield window
    assert [text for texts in said for text in texts] == []


@pytest.fixture
def alone(desk: Desk) -> Desk:
    Technician.objects.exclude(user=desk.technician).update(on_duty=False)
    return desk


def accessible(page: Page, name: str) -> None:
    """Nothing serious before axe, light and dark, and a picture of both."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate(f"{AXE_SCRIPT}\n({LOOK})()") == [], (name, scheme)
        picture(page, f"support-{name}-{scheme}")
    page.emulate_media(color_scheme="light")


def as_customer(page: Page, contact: Contact, base_url: str) -> None:
    key = signed_in_customer(contact).cookies[SUPPORT_COOKIE].value
    page.context.add_cookies([{"name": SUPPORT_COOKIE, "value": key, "url": f"{base_url}/support/"}])


def test_the_whole_way_in_japanese(windows: Any, alone: Desk, live_server: Any, tmp_path: Path) -> None:  # P1 to P7
    Contact.objects.filter(pk=alone.contact.pk).update(language=Language.JAPANESE, name="佐藤 健一")
    Technician.objects.filter(user=alone.technician).update(languages=["en", "ja"])
    contact, tech = alone.contact, alone.technician
    old = timezone.now() - timedelta(days=3 * 365)
    past = alone.open_case(old, title="Slow mail", actor=tech)
    words = {"channel": Channel.EMAIL, "direction": Direction.OUT, "send": True}
    log_contact(past.pk, tech, old, body="The quota of the archive volume was exhausted.", **words)
    transitions.resolve(past.pk, tech, old, resolution=Resolution.NOT_PURSUED)
    customer, desk = windows(), windows(1440)
    enter(desk, tech, live_server.url)

    # Signs in by code.
    customer.goto("/support/?language=ja")
    customer.goto("/support/sign-in/?language=ja")
    customer.get_by_label("メールアドレス").fill(contact.email)
    customer.get_by_role("button", name="コードをメールで受け取る").click()
    customer.get_by_label("コード").fill(mailed_code(contact.email))
    customer.get_by_role("button", name="サインイン").click()
    expect(customer.get_by_role("heading", name="Acme様のお問い合わせ")).to_be_visible()
    accessible(customer, "cases")

    # Opens a case with a file.
    file = tmp_path / "印刷.txt"
    file.write_text("エラー 0x61", encoding="utf-8")
    customer.goto("/support/cases/new/")
    customer.get_by_label("件名").fill("3階のプリンターで印刷できない")
    customer.locator("textarea[name=description]").fill("今朝から印刷できません。")
    accessible(customer, "open")
    customer.locator("button[name=review]").click()
    customer.locator("input[type=file]").set_input_files(file)
    accessible(customer, "review")
    customer.locator("button[name=send]").click()
    expect(customer.get_by_role("heading", name="3階のプリンターで印刷できない")).to_be_visible()
    case = Case.objects.get(title="3階のプリンターで印刷できない")
    assert (case.opened_by_channel, Attachment.objects.get(case=case).name) == (Channel.PAGE, "印刷.txt")
    accessible(customer, "case")

    # Chats: the technician is offered it, takes it, and both read each other without leaving their page.
    desk.goto("/admin/")
    customer.get_by_role("link", name="この件についてチャットする").click()
    customer.get_by_label("ご質問").fill("急いでいます。")
    accessible(customer, "chat-start")
    customer.get_by_role("button", name="チャットを開始する").click()
    expect(customer.get_by_text("ただいまの順番は1番目です。")).to_be_visible()
    accessible(customer, "chat-waiting")
    expect(desk).to_have_title(re.compile("Chat: 佐藤"), timeout=10_000)
    desk.locator("#call-take").click()
    expect(desk).to_have_url(re.compile(rf"/case/{case.pk}/change/\?do=chat"))
    expect(desk.locator("[data-chat-log]")).to_contain_text("急いでいます。")
    expect(customer.locator("[data-chat-now]")).to_contain_text(str(tech), timeout=10_000)
    line = desk.get_by_label("Your line")
    line.press_sequentially("どのドライバーですか。")
    expect(customer.locator("[data-chat-now]")).to_contain_text("入力中です", timeout=10_000)
    line.press("Enter")
    expect(line).to_have_value("")
    expect(desk.locator("[data-chat-log]")).to_contain_text("どのドライバーですか。")
    expect(customer.locator("[data-chat-log]")).to_contain_text("どのドライバーですか。", timeout=10_000)
    customer.get_by_label("メッセージを入力").fill("バージョン7.1です。")
    customer.get_by_role("button", name="送信").click()
    expect(customer.get_by_label("メッセージを入力")).to_have_value("")
    expect(desk.locator("[data-chat-log]")).to_contain_text("バージョン7.1です。", timeout=10_000)
    accessible(customer, "chat-open")
    picture(desk, "chat-of-the-technician")
    desk.set_viewport_size({"width": 420, "height": 900})
    picture(desk, "chat-of-the-technician-narrow")
    desk.locator("#call-over").click()
    expect(customer.get_by_text("チャットは終了しました。")).to_be_visible(timeout=10_000)
    accessible(customer, "chat-over")
    customer.get_by_role("button", name="このチャットをメールで受け取る").click()
    expect(customer.get_by_text("メールでお送りしました。")).to_be_visible()
    lines = Interaction.objects.filter(case=case, channel=Channel.CHAT).order_by("pk").values_list("body", flat=True)
    assert list(lines) == ["急いでいます。", "どのドライバーですか。", "バージョン7.1です。"]
    assert QueueEntry.objects.get().ending == QueueEnding.SPOKEN
    assert Mail.objects.filter(case=case, template="chat_transcript").count() == 1
    assert not Mail.objects.filter(case=case, template="contact_logged").exists()

    # Asks for an escalation.
    customer.goto(f"/support/cases/{case.pk}/")
    customer.locator("summary", has_text="エスカレーション").click()
    customer.locator("textarea[name=impact]").fill("出荷が止まっています。")
    customer.locator("textarea[name=reason]").fill("本日が締め切りです。")
    customer.locator("form[action$='escalate/'] button").click()
    expect(customer.locator(".messages .success")).to_be_visible()
    assert EscalationRequest.objects.get(case=case).impact == "出荷が止まっています。"

    # Confirms the solution.
    transitions.ask_customer(
        case.pk, tech, timezone.now(), question="バージョン7.2で解決しましたか。", reason=WaitReason.CONFIRM
    )
    customer.reload()
    accessible(customer, "confirm")
    customer.locator("form[action$='solved/'] button").click()
    expect(customer.locator(".messages .success")).to_be_visible()
    assert (reload(case).status, reload(case).resolution) == (Status.RESOLVED, Resolution.CONFIRMED)

    # Finds the case of three years ago.
    customer.goto("/support/")
    customer.locator("input[name=q]").fill("volume exhausted")
    customer.keyboard.press("Enter")
    customer.get_by_role("link", name="Slow mail").click()
    expect(customer.get_by_text("The quota of the archive volume was exhausted.")).to_be_visible()


def test_what_is_typed_stays_until_it_has_arrived(windows: Any, alone: Desk, live_server: Any) -> None:  # P6, S4
    customer, case = windows(1440), alone.open_case()
    as_customer(customer, alone.contact, live_server.url)
    customer.goto("/support/chat/")
    accessible(customer, "chat-new")
    customer.goto(f"/support/cases/{case.pk}/chat/")
    customer.get_by_label("Your question").fill("It hums.")
    customer.get_by_role("button", name="Begin the chat").click()
    field = customer.get_by_label("Write here")
    expect(customer.locator("[data-chat-started]")).to_be_attached()  # until then Enter is the browser's
    customer.route("**/chat/say/", lambda route: route.abort())
    field.fill("Since noon.")
    field.press("Enter")
    trouble = customer.locator("[data-chat-trouble]")
    expect(trouble).to_contain_text("What you typed is kept")
    for _ in range(2):  # what is heard meanwhile does not take it away
        customer.wait_for_event("response", lambda answer: "writing=" in answer.url)
    expect(trouble).to_contain_text("What you typed is kept")
    expect(field).to_have_value("Since noon.")
    customer.unroute("**/chat/say/")
    customer.reload()
    expect(field).to_have_value("Since noon.")  # the draft
    expect(customer.locator("[data-chat-started]")).to_be_attached()
    field.press("Enter")
    expect(customer.locator("[data-chat-log]")).to_contain_text("Since noon.")
    expect(field).to_have_value("")
    expect(trouble).to_be_hidden()
    assert Interaction.objects.filter(case=case, body="Since noon.").count() == 1
    customer.reload()
    expect(field).to_have_value("")

    # Nobody for two minutes: the page says so by itself, and a line that comes too late goes to the case.
    field.fill("One more thing.")
    QueueEntry.objects.update(arrived_at=timezone.now() - timedelta(minutes=2), state="waiting", technician=None)
    sweep_chats(timezone.now()), sweep_queue(timezone.now())
    expect(customer.get_by_text("Nobody is free to chat just now.")).to_be_visible(timeout=10_000)
    accessible(customer, "chat-message")
    field.press("Enter")
    expect(customer.get_by_text("stands on your case as a message.")).to_be_visible()
    expect(customer.get_by_text("One more thing.")).to_be_visible()


def test_a_chat_works_without_a_script(windows: Any, alone: Desk, live_server: Any) -> None:  # P6, S4
    customer, case = windows(420, java_script_enabled=False), alone.open_case()
    as_customer(customer, alone.contact, live_server.url)
    customer.goto(f"/support/cases/{case.pk}/")
    customer.get_by_role("link", name="Chat about this case").click()
    customer.get_by_label("Your question").fill("It hums.")
    customer.get_by_role("button", name="Begin the chat").click()
    field = customer.get_by_label("Write here")
    field.fill("Half a sen")
    customer.get_by_role("button", name="Look for new lines").click()
    expect(field).to_have_value("Half a sen")
    picture(customer, "support-chat-without-script")
    customer.get_by_role("button", name="Send").click()
    expect(customer.locator("[data-chat-log]")).to_contain_text("Half a sen")
    customer.get_by_role("button", name="End the chat").click()
    expect(customer.get_by_text("stands on your case as a message")).to_be_visible()
