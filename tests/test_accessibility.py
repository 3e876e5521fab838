"""Every page of every role, light and dark, before axe-core: nothing that keeps somebody from using it.

What axe calls minor or moderate is left to judgement; serious and critical fail, and what is in no landmark.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page

from cases.enums import Channel, Direction, Door, Resolution, Severity, WaitReason
from cases.followup.absences import note_absence
from cases.inbox.receive import receive
from cases.models import Case, FailedCase, Outage, SweepRun
from cases.portal.apply import start_chat
from cases.queue.apply import take
from cases.workflow import contract_questions, opening, transitions
from cases.workflow.contact_log import log_contact
from contacts.models import FailedSignIn, User
from escalations.daily_digest.mail import switch_off_url
from escalations.enums import Origin
from escalations.models import SchedulePoint, ScheduleVersion
from escalations.requests.apply import request_escalation
from escalations.schedule.versions import draft_next_version
from tests.support.browser import enter
from tests.support.builders import Desk, build_desk, build_user
from tests.support.mails import raw_mail
from tests.support.rollout import next_version
from tests.support.stage import sweeps

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.any_database,
    pytest.mark.django_db(transaction=True),
]

HOUR = timedelta(hours=1)
SERIOUS = ("serious", "critical")
#: Moderate to axe: without them nobody who listens to a page can go past the sidebar.
LANDMARKS = ("landmark-one-main", "region")
#: Looks at the page as it is, then at its colours in the dark. A colour on its way to another is none. Contrast is what
#: takes axe long; it is measured where nothing of the same build was measured before: the same elements with the same
#: classes below the same ancestors, whatever their words. All else is looked at everywhere.
LOOK = """async ([within, measured]) => {
  const still = document.createElement("style");
  still.textContent = "*, *::before, *::after { transition: none !important; animation: none !important; }";
  document.head.append(still);
  document.documentElement.classList.remove("dark");
  const found = async (scheme, context, options) => {
    const { violations } = await axe.run(context, { resultTypes: ["violations"], preload: false, ...options });
    return violations.flatMap(({ id, impact, nodes }) =>
      nodes.map((node) => [scheme, impact, id, node.target.flat().join(" "), node.failureSummary]));
  };
  const known = new Set(measured), learned = [], fresh = [];
  const hash = (words) => {
    let high = 0xdeadbeef, low = 0x41c6ce57;
    for (let at = 0; at < words.length; at++) {
      const code = words.charCodeAt(at);
      high = Math.imul(high ^ code, 2654435761);
      low = Math.imul(low ^ code, 1597334677);
    }
    return 4294967296 * (2097151 & low) + (high >>> 0);
  };
  const styleless = / (?!(?:class|style|type|role|hidden|scope|open|id|aria-selected|aria-invalid)=)([^ ="]+)="[^"]*"/g;
  const build = (one) => one.outerHTML
    .replace(/>[^<]*[^<\\s][^<]*</g, ">x<")
    .replace(styleless, " $1")
    .replace(/ id="[^"]*"/g, (id) => id.replace(/\\d+/g, ""));
  const place = (one) => `>${one.previousElementSibling?.tagName}+${one.tagName}.${one.getAttribute("class")}`;
  const hasWords = (one) => [...one.childNodes].some((part) => part.nodeType === Node.TEXT_NODE && part.data.trim());
  const isSeen = (one) => one.checkVisibility({ visibilityProperty: true });
  const learn = (one, above, isCovered) => {
    const inside = above + place(one), sign = hash(inside + build(one));
    if (known.has(sign)) return;
    if (isSeen(one)) {
      known.add(sign);
      learned.push(sign);
      if (!isCovered && (one.matches("input, select, textarea") || hasWords(one))) {
        fresh.push(one);
        isCovered = true;
      }
    } else if (getComputedStyle(one).display !== "contents") return;
    [...one.children].forEach((child) => learn(child, inside, isCovered));
  };
  const part = document.querySelector(within);
  const body = part.contains(document.body) ? document.body : part;
  let above = "";
  for (let one = body.parentElement; one; one = one.parentElement) above = place(one) + above;
  learn(body, above, false);
  const colours = ["color-contrast", "link-in-text-block"];
  const others = { rules: Object.fromEntries(colours.map((rule) => [rule, { enabled: false }])) };
  const faults = await found("light", within, others);
  if (fresh.length) {
    faults.push(...await found("light", { include: fresh }, { runOnly: colours }));
    document.documentElement.classList.add("dark");
    faults.push(...await found("dark", { include: fresh }, { runOnly: colours }));
  }
  return [faults, learned];
}"""
#: Opens each form and each row of the side column of a case, and the menus.
OPEN_ALL = """async () => {
  const slugs = [...new Set([...document.querySelectorAll("a[data-desk-form]")].map((link) => link.dataset.deskForm))];
  const openDetails = () => document.querySelectorAll("details").forEach((one) => { one.open = true; });
  slugs.forEach((slug) => document.querySelector(`a[data-desk-form="${slug}"]`).click());
  openDetails();
  const waits = () => document.querySelector("[data-desk-load], [aria-busy]")
    || slugs.some((slug) => !document.querySelector(`[data-desk-form-of="${slug}"]`));
  while (waits()) await new Promise((goOn) => setTimeout(goOn, 20));
  document.querySelectorAll("[data-desk-form-of]").forEach((one) => { one.hidden = false; });
  openDetails();
}"""
#: The sidebar and the bar of a call stand on every page of a role, and are looked at on its first one.
NOT_CONTENT = re.compile(
    r'(?s:<div id="nav-sidebar".*?<div id="main")|<div id="desk-call"[^>]*></div>|(?s:<script\b.*?</script>)|\d+'
)
#: Words between two tags, and values of attributes but those of looks, states and languages.
WORDS = re.compile(r">[^<]*[^<\s][^<]*(?=<)")
LOOKS = "class|style|lang|type|role|hidden|scope|open|name|tabindex|aria-(?:selected|invalid|hidden|expanded)"
VALUES = re.compile(rf' (?!(?:{LOOKS})=)([^ ="]+)="[^"]+"')
ROW = re.compile(r"(?=<(?:tr|li)\b)|(?<=</tr>)|(?<=</li>)")
#: The content of a page, or of a part of it, as it stands in the browser.
CONTENT = """(part) => {
  const copy = part.cloneNode(true);
  copy.querySelectorAll("#nav-sidebar, #desk-call").forEach((one) => one.remove());
  return copy.outerHTML;
}"""
HREFS = """([html, selector]) => {
  const page = new DOMParser().parseFromString(html, "text/html");
  return [...page.querySelectorAll(selector)].map((link) => link.getAttribute("href"));
}"""
#: Leaves of rows that differ in their words only the first one.
ONE_OF_EACH = """() => {
  const built = (row) => row.outerHTML
    .replace(/>[^<]*\\S[^<]*</g, ">x<")
    .replace(/ (?!class|style|role)([\\w:@.-]+)="[^"]+"/g, " $1");
  document.querySelectorAll("#main table, #main ul, #main ol").forEach((list) => {
    const seen = new Set();
    [...list.querySelectorAll("tbody tr, :scope > li")].forEach((row) => {
      const how = built(row);
      if (seen.has(how)) row.remove();
      seen.add(how);
    });
  });
}"""


def structure_of(html: str) -> str:
    """The elements of a page with their looks and states, and where there are words; of rows that are alike, one."""
    bare = WORDS.sub(">x", VALUES.sub(r" \1", NOT_CONTENT.sub("", html)))
    return "".join(dict.fromkeys(ROW.split(" ".join(bare.split()))))


@dataclass
class Busy:
    """A desk with a row of everything, and a case in each state."""

    desk: Desk
    administrator: User
    cases: dict[str, Case]
    draft: ScheduleVersion
    newest: ScheduleVersion


def build_busy_desk() -> Busy:
    desk, now = build_desk(), timezone.now()
    tech = desk.technician
    opened = now - 30 * HOUR
    newest = next_version(desk, opened - HOUR, high_1={"after": 6 * HOUR})
    cases = {
        name: desk.open_case(opened, title=f"Nobody can print, {name}", severity=severity, channel=Channel.EMAIL)
        for name, severity in (
            ("assigned", Severity.CRITICAL),
            ("in_progress", Severity.HIGH),
            ("waiting", Severity.MEDIUM),
            ("resolved", Severity.LOW),
        )
    }
    for name in ("in_progress", "waiting", "resolved"):
        transitions.start_work(cases[name].pk, tech, opened + HOUR)
    transitions.ask_customer(
        cases["waiting"].pk, tech, opened + 2 * HOUR, question="Which driver?", reason=WaitReason.CONFIRM
    )
    note_absence(cases["waiting"].pk, tech, opened + 3 * HOUR, note="I am out of office for a while.")
    said = {"channel": Channel.PHONE, "direction": Direction.IN, "body": "It came back."}
    log_contact(cases["in_progress"].pk, tech, opened + 2 * HOUR, **said)
    log_contact(
        cases["in_progress"].pk, tech, opened + 3 * HOUR, channel=Channel.NOTE, direction=Direction.INTERNAL, body="Hm."
    )
    transitions.resolve(cases["resolved"].pk, tech, opened + 2 * HOUR, resolution=Resolution.NOT_PURSUED)
    log_contact(cases["resolved"].pk, tech, opened + 4 * HOUR, **said)
    opening.turn_away(desk.end_user, "The printer", tech, now)
    contract_questions.pass_on(desk.company, desk.contact, tech, now, question="What does it cost?")
    sweeps(now - HOUR)
    request_escalation(
        cases["in_progress"].pk, desk.account_manager, now, origin=Origin.CUSTOMER, asked_by="X", impact="X", reason="X"
    )
    for text in ("It hangs.", "It hangs again.\n\n> Since when?"):
        receive(raw_mail("Bob <bob@acme.example.com>", text=text, files={"a.txt": b"x"}), now, door=Door.COMMAND)
    FailedCase.objects.create(case=cases["assigned"], sweep="escalate", since=now, retry_at=now, error="ValueError")
    SweepRun.objects.update_or_create(name="escalate", defaults={"last_at": now})
    Outage.objects.create(sweep="escalate", began_at=now - 9 * HOUR, ended_at=now - 8 * HOUR, caught_up_at=now)
    FailedSignIn.objects.create(user=tech, address="192.0.2.1", at=now)
    take(start_chat(desk.contact, cases["in_progress"].pk, now, words="Are you there?").pk, tech, now)
    draft = draft_next_version(desk.manager)
    SchedulePoint.objects.filter(version=draft, severity="high", number=1).update(after=5 * HOUR)
    return Busy(desk, build_user("", "root", is_superuser=True), cases, draft, newest)


class Visit:
    """One member of staff walks through the desk; what axe finds on the way."""

    def __init__(self, page: Page, role: str, seen: set[str], measured: set[int]) -> None:
        self.page, self.role, self.seen, self.measured = page, role, seen, measured
        self.visited: list[str] = []
        self.has_judged_sidebar = False
        self.html = ""
        self.found: list[str] = []

    def go(self, address: str) -> None:
        """Fetch a page, and look at it in the browser unless one of the same structure was looked at before."""
        answer = self.page.request.get(address, headers={"Accept": "text/html"})
        assert answer.status < 500, address
        self.html = answer.text()
        self.visited.append(address)
        if self.is_new(self.html):
            self.draw(address)
            self.judge(address)

    def draw(self, address: str) -> None:
        answer = self.page.goto(address)
        assert answer is not None
        assert answer.status < 500, address

    def look(self, address: str, within: str = "html") -> None:
        """What axe finds on the page as it stands, unless one of the same structure was looked at before."""
        self.visited.append(address)
        if self.is_new(self.page.eval_on_selector(within, CONTENT)):
            self.judge(address, within)

    def is_new(self, html: str) -> bool:
        structure = structure_of(html)
        if structure in self.seen:
            return False
        self.seen.add(structure)
        return True

    def judge(self, address: str, within: str = "html") -> None:
        self.page.evaluate(ONE_OF_EACH)
        if self.has_judged_sidebar:
            self.page.evaluate("document.querySelector('#nav-sidebar')?.remove()")
        self.has_judged_sidebar |= within == "html" and self.page.query_selector("#nav-sidebar") is not None
        faults, learned = self.page.evaluate(LOOK, [within, [*self.measured]])
        self.measured.update(learned)
        for scheme, impact, rule, target, why in faults:
            if impact in SERIOUS or rule in LANDMARKS:
                self.found.append(f"{self.role}, {scheme}, {address}: {rule} at {target}: {why}")

    def links(self, selector: str) -> list[str]:
        """Where the links that a selector finds in the page that was fetched last lead to, each once."""
        hrefs = self.page.evaluate(HREFS, [self.html, selector])
        return list(dict.fromkeys(href.split("#")[0].split("?")[0] for href in hrefs))

    # --- the walk

    def lists(self) -> None:
        """Each list of the sidebar with its filters open, its form for a new row, and a row with its history."""
        self.go("/admin/")
        for address in self.links("#nav-sidebar a[href^='/admin/']")[1:]:
            self.go(address)
            rows, new = self.links("#result_list tbody a[href$='/change/']"), self.links("a[href$='/add/']")
            looked_at = urlsplit(self.page.url).path == address
            if looked_at and self.page.evaluate("document.querySelector('#changelist-filter') !== null"):
                self.page.evaluate("Alpine.evaluate(document.documentElement, 'filterOpen = true')")
                self.look(f"{address} with its filters", "#changelist-filter")
            for other in [*new[:1], *[row for row in rows if row.startswith(address)][:1]]:
                self.go(other)
                for history in self.links("#content-main a[href$='/history/'], #main a[href$='/history/']"):
                    self.go(history)

    def case(self, case: Case) -> None:
        """The page of a case, with everything open that can be, and its details."""
        self.page.goto(address := case.get_absolute_url())
        self.page.evaluate(OPEN_ALL)
        self.look(f"{address} with everything open")
        self.go(f"{address}?tab=details")

    def parts_of(self, case: Case) -> None:
        """What leads to a part of the page without a script, and the history."""
        for rest in ("change/?open=promises", "change/?do=add_note", "history/"):
            self.go(case.get_absolute_url().replace("change/", rest))

    def refused(self, case: Case) -> None:
        """A form that was refused, as it comes back without a script."""
        self.page.goto(f"{case.get_absolute_url()}?do=add_note")
        self.page.evaluate("document.querySelector('[data-desk-form-of=add_note] form').submit()")
        self.page.wait_for_selector("#desk-do-title")
        self.look("a refused note")

    def decided(self) -> None:
        """A message in triage with everything open that can be, then with a decision that can be undone."""
        self.go("/admin/cases/receivedmail/?tab=triage")
        address = self.links("#result_list tbody a[href*='/change/']")[0]
        self.page.goto(f"{address}?case=print&person=acme")
        self.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        self.look("a message in triage with everything open")
        self.page.get_by_role("button", name="Dismiss").click()
        self.page.wait_for_selector("#desk-undo")
        self.look("a decision that can be undone")
        self.go("/admin/cases/receivedmail/?tab=triage")

    def account(self) -> None:
        """Second factor and passkeys: each page, asked for the password first, and an app added."""
        for address in ("/admin/account/", "/admin/account/webauthn/add/", "/admin/account/totp/activate/"):
            self.draw(address)
            self.look(address)
            if "reauthenticate" in self.page.url or "/account/password/" in self.page.url:
                self.page.fill("[name=password]", "secret")
                self.page.press("[name=password]", "Enter")
                self.page.wait_for_url(f"**{address}")
                self.look(f"{address} after the password")
        self.go("/admin/account/webauthn/")

    def chat(self, case: Case) -> None:
        """A chat on the page of its case, where the technician answers it."""
        self.page.goto(case.form_url("chat"))
        self.page.wait_for_selector("[data-chat]")
        self.look("a chat with a customer")

    def handing_over(self) -> None:
        """Cases that were ticked in the list, on the page that asks to whom they go."""
        self.page.goto("/admin/cases/case/?queue=open")
        self.page.evaluate("""() => {
          document.querySelectorAll("[name=_selected_action]").forEach((box) => { box.checked = true; });
          const form = document.querySelector("#changelist-form");
          const action = form.querySelector("[name=action]");
          action.add(new Option("x", "hand_over_selected"));
          action.value = "hand_over_selected";
          form.submit();
        }""")
        self.page.wait_for_selector("[name=reason]")
        self.look("cases that are handed over")


def test_nothing_serious_on_any_page_of_any_role(browser: Browser, live_server) -> None:
    busy = build_busy_desk()
    desk = busy.desk
    roles = {
        "technician": desk.technician,
        "support manager": desk.manager,
        "account manager": desk.account_manager,
        "customer engineer": desk.customer_engineer,
        "CSM": desk.csm,
        "administrator": busy.administrator,
        "nobody": None,
    }
    seen: set[str] = set()
    measured: set[int] = set()
    visits = {}
    for role, user in roles.items():
        window = browser.new_context(viewport={"width": 1440, "height": 1000}, base_url=live_server.url)
        window.add_init_script(AXE_SCRIPT)
        visits[role] = visit = Visit(window.new_page(), role, seen, measured)
        if user is None:
            for address in ("/admin/login/", "/admin/password/forgotten/"):
                visit.go(address)
        else:
            enter(visit.page, user, live_server.url)
            visit.lists()
            for case in busy.cases.values():
                visit.case(case)
            visit.go("/admin/nowhere/")
        if role == "technician":
            visit.parts_of(busy.cases["waiting"])
            visit.refused(busy.cases["in_progress"])
            visit.chat(busy.cases["in_progress"])
            visit.account()
            visit.handing_over()
            visit.decided()
        if role == "support manager":
            visit.go(reverse("admin:cases_mail_preview", args=["question"]))
            for name, version in (("change", busy.draft), ("review", busy.draft), ("move", busy.newest)):
                visit.go(reverse(f"admin:escalations_scheduleversion_{name}", args=[version.pk]))
        if role == "account manager":
            visit.go("/admin/cases/case/add/")  # refused: 403
            for name in ("account", "account_summary"):
                visit.go(reverse(f"admin:contacts_company_{name}", args=[desk.company.pk]))
        if role == "nobody":
            visit.go(f"/{switch_off_url(desk.account_manager).split('/', 3)[3]}")
        window.close()
    assert [fault for visit in visits.values() for fault in visit.found] == []
    for role, visit in visits.items():
        assert len(visit.visited) >= (2 if role == "nobody" else 20), (role, visit.visited)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("<p class='a'>Ann, 3</p>", "<p class='a'>Bob, 14</p>", True),
        ("<p class='a'>Ann</p>", "<p class='a'> </p>", False),
        ("<p class='a'>Ann</p>", "<p class='b'>Ann</p>", False),
        ("<p lang='en'>Ann</p>", "<p lang='ja'>Ann</p>", False),
        ("<img alt='a'>", "<img alt='b'>", True),
        ("<img alt='a'>", "<img alt=''>", False),
        ("<input>", "<label>a<input></label>", False),
        ("<ul><li>a</li><li>b</li></ul>", "<ul><li>c</li></ul>", True),
        ("<ul><li>a</li><li><b>b</b></li></ul>", "<ul><li>a</li></ul>", False),
    ],
)
def test_pages_that_differ_in_their_words_alone_are_alike(one: str, other: str, alike: bool) -> None:
    first, second = (structure_of(html.replace("'", '"')) for html in (one, other))
    assert (first == second) == alike


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        ("<input>", "light label"),
        ("<p style='color: #999'>Hardly to be read.</p>", "light color-contrast"),
        ("<style>.dark p { color: #222; background: #000 }</style><p>Not in the dark.</p>", "dark color-contrast"),
    ],
)
def test_a_fault_is_found(browser: Browser, broken: str, rule: str) -> None:
    page, measured = browser.new_page(), []
    for more in ("", broken):  # what was measured before does not hide it
        page.set_content(f"<!doctype html><html lang=en><title>x</title><main><h1>x</h1>{more}</main></html>")
        found, learned = page.evaluate(f"{AXE_SCRIPT}\n({LOOK})", ["html", measured])
        measured += learned
    assert [f"{scheme} {name}" for scheme, impact, name, *_ in found if impact in SERIOUS][:1] == [rule]
