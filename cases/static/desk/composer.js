/* The composer of a case: its tabs load their form into the page, what is typed is kept as a draft in this browser, and
   a refusal is shown where one writes. Without this script every tab is a link and every form is sent as usual. */
"use strict";
(() => {
  const KEPT_FOR = 14 * 24 * 60 * 60 * 1000;
  const PREFIX = "desk-draft:";
  const store = {
    read: (key) => { try { return JSON.parse(localStorage.getItem(key)); } catch { return null; } },
    write: (key, draft) => { try { localStorage.setItem(key, JSON.stringify(draft)); } catch { /* full or forbidden */ } },
    drop: (key) => { try { localStorage.removeItem(key); } catch { /* forbidden */ } },
    keys: () => { try { return Object.keys(localStorage).filter((key) => key.startsWith(PREFIX)); } catch { return []; } },
  };
  const writable = (form) => [...form.elements].filter((field) =>
    field.name && !["hidden", "password", "submit", "button", "file"].includes(field.type));
  /* The first thing that can be filled in, or else pressed. */
  const firstOf = (form, within = "") => {
    const kinds = ["textarea", "select", "input:not([type=hidden])", ...(within ? [] : ["button[type=submit]"])];
    const found = form.querySelectorAll(kinds.map((kind) => within + kind).join());
    return [...found].find((field) => field.getClientRects().length);
  };
  const isText = (field) => ["textarea", "text", "date", "datetime-local"].includes(field.type);

  const composer = () => {
    const root = document.querySelector("[data-desk-composer]");
    if (!root) return;
    const forms = root.querySelector(".desk-composer-forms");
    const page = location.pathname;
    const keyOf = (slug) => `${PREFIX}${root.dataset.deskUser}:${root.dataset.deskComposer}:${slug}`;
    const holder = (slug) => forms.querySelector(`[data-desk-form-of="${slug}"]`);
    const announce = (target, name) => target.dispatchEvent(new CustomEvent(name, { bubbles: true }));

    /* --- drafts --- */
    const save = (form, slug) => {
      const typed = writable(form).map((field) => ({ name: field.name, value: field.value, checked: field.checked }));
      const hasWords = writable(form).some((field) => isText(field) && field.value.trim() && field.value !== field.defaultValue);
      if (hasWords) store.write(keyOf(slug), { at: Date.now(), typed });
      else store.drop(keyOf(slug));
      mark();
    };
    const restore = (form, slug) => {
      const draft = store.read(keyOf(slug));
      if (!draft || Date.now() - draft.at > KEPT_FOR || form.dataset.deskFilled) return;
      form.dataset.deskFilled = "1";
      draft.typed.forEach(({ name, value, checked }) => {
        writable(form).filter((field) => field.name === name).forEach((field) => {
          if (field.type === "checkbox") field.checked = field.value === value || field.value === "on" ? checked : field.checked;
          else if (field.type === "radio") field.checked = field.value === value ? checked : field.checked;
          else if (field.tagName !== "SELECT" || [...field.options].some((option) => option.value === value)) field.value = value;
          field.dispatchEvent(new Event("change", { bubbles: true }));
        });
      });
      const note = document.createElement("p");
      note.className = "desk-hint desk-draft";
      note.setAttribute("role", "status");
      note.append("Your draft, not sent yet. ");
      const discard = document.createElement("button");
      discard.type = "button";
      discard.className = "desk-text-button";
      discard.textContent = "Discard it";
      discard.addEventListener("click", () => {
        form.reset();
        store.drop(keyOf(slug));
        delete form.dataset.deskFilled;
        note.remove();
        mark();
        announce(form, "desk:form");
        firstOf(form)?.focus();
      });
      note.append(discard);
      form.prepend(note);
    };
    const mark = () => root.querySelectorAll("[data-desk-form]").forEach((link) => {
      link.classList.toggle("has-draft", Boolean(store.read(keyOf(link.dataset.deskForm))));
    });
    const forget = () => {
      store.keys().forEach((key) => {
        const draft = store.read(key);
        if (!draft || Date.now() - draft.at > KEPT_FOR) store.drop(key);
      });
      /* The server names the action that was carried out last. */
      const done = document.cookie.split("; ").find((cookie) => cookie.startsWith("desk_done="));
      if (!done) return;
      const [caseKey, slug] = done.slice("desk_done=".length).split(":");
      store.drop(`${PREFIX}${root.dataset.deskUser}:${caseKey}:${slug}`);
      document.cookie = "desk_done=; Max-Age=0; Path=/; SameSite=Lax";
    };

    /* --- who reads it: also those who are ticked for a copy --- */
    const tellReaders = (one) => {
      const word = one.querySelector(".desk-read-by");
      if (!word) return;
      word.dataset.deskAlone ??= word.textContent;
      const ticked = [...one.querySelectorAll("input[name=copies]:checked")].filter((box) => !box.disabled);
      const names = ticked.map((box) => box.closest("label").textContent.trim());
      const listed = [names.slice(0, -1).join(", "), ...names.slice(-1)].filter(Boolean).join(" and ");
      const said = listed ? `${word.dataset.deskAlone} A copy goes to ${listed}.` : word.dataset.deskAlone;
      if (word.textContent !== said) word.textContent = said;
    };
    ["change", "desk:form", "desk:shown"].forEach((event) => forms.addEventListener(event, ({ target }) => {
      const one = target.closest("[data-desk-form-of]");
      if (one) setTimeout(() => tellReaders(one)); // after what shows and hides fields
    }));

    /* --- the head of the case and what is next on it, as they are meanwhile --- */
    const HEAD = [".desk-header", ".desk-next-line"];
    const reloadHead = async () => {
      const answer = await fetch(page, { redirect: "manual" });
      if (!answer.ok) return;
      const now = new DOMParser().parseFromString(await answer.text(), "text/html");
      HEAD.forEach((selector) => {
        const [old, fresh] = [document, now].map((one) => one.querySelector(selector));
        if (old && fresh) old.replaceWith(document.adoptNode(fresh));
        else if (old) old.remove();
        else if (fresh) document.querySelector(HEAD[0])?.after(document.adoptNode(fresh));
        if (fresh && window.htmx) window.htmx.process(fresh);
      });
    };

    /* --- forms --- */
    const prepare = (one) => {
      const form = one.querySelector("form");
      if (window.htmx) window.htmx.process(one);
      restore(form, one.dataset.deskFormOf);
      announce(one, "desk:form");
    };
    const show = (slug, focus) => {
      forms.querySelectorAll("[data-desk-form-of]").forEach((one) => { one.hidden = one.dataset.deskFormOf !== slug; });
      root.querySelectorAll("nav > [data-desk-form]").forEach((tab) => {
        if (tab.dataset.deskForm === slug) tab.setAttribute("aria-current", "true");
        else tab.removeAttribute("aria-current");
      });
      const first = holder(slug).querySelector("textarea, select, input:not([type=hidden])");
      if (focus && first) first.focus();
      announce(holder(slug), "desk:shown");
    };
    let loading = false;
    const load = async (link) => {
      loading = true;
      try { await open(link); } finally { loading = false; }
    };
    const open = async (link) => {
      const slug = link.dataset.deskForm;
      const asked = new URL(link.href, location.href);
      const about = new URLSearchParams(asked.search);
      about.delete("do");
      if (holder(slug) && about.size) holder(slug).remove();
      if (!holder(slug)) {
        const answer = await fetch(`${page.replace(/change\/$/, "")}do/${slug}/?${about}`, { headers: { "HX-Request": "true" }, redirect: "manual" });
        if (!answer.ok) { location.assign(link.href); return; }
        forms.querySelectorAll(":scope > .desk-hint").forEach((hint) => hint.remove());
        forms.insertAdjacentHTML("beforeend", await answer.text());
        prepare(holder(slug));
      }
      const menu = link.closest("details[data-desk-menu]");
      if (menu) menu.open = false;
      show(slug, true);
      root.scrollIntoView({ block: "nearest" });
    };
    document.addEventListener("click", (event) => {
      const link = event.target.closest("a[data-desk-form]");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
      event.preventDefault();
      load(link).catch(() => location.assign(link.href));
    });

    forms.addEventListener("input", (event) => {
      const one = event.target.closest("[data-desk-form-of]");
      if (one) save(event.target.form, one.dataset.deskFormOf);
    });
    forms.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.form) {
        event.preventDefault();
        event.target.form.requestSubmit(event.target.form.querySelector("button[type=submit]:not([formaction])"));
      }
    });

    /* A refusal comes back into the composer; whatever else happens leads where the server says. */
    forms.addEventListener("submit", async (event) => {
      const form = event.target;
      const one = form.closest("[data-desk-form-of]");
      if (event.defaultPrevented || !one || event.submitter?.hasAttribute("formaction")) return;
      event.preventDefault();
      if (form.dataset.deskSent) return;
      save(form, one.dataset.deskFormOf);
      const pressed = document.activeElement;
      let answer;
      try {
        answer = await fetch(form.action, { method: "POST", body: new FormData(form, event.submitter), redirect: "manual" });
      } catch {
        refuse(form, "The desk could not be reached. Nothing was sent, and what you typed is kept; try again.", pressed);
        return;
      }
      if (answer.type === "opaqueredirect") {
        location.assign(page);
        return;
      }
      const shownPage = new DOMParser().parseFromString(await answer.text(), "text/html");
      const refused = shownPage.querySelector("form.desk-form");
      const sentence = shownPage.querySelector("#content-main > section > .desk-error, .desk-error");
      reloadHead().catch(() => {}); // the refusal may be about what has changed meanwhile
      if (refused && answer.status !== 403) {
        const chosen = form.querySelector("input[type=file]");
        form.replaceWith(document.adoptNode(refused));
        const again = one.querySelector("form");
        again.querySelectorAll(".desk-form-buttons > a, .desk-form-hint").forEach((one) => one.remove()); // one is on the case
        const files = again.querySelector("input[type=file]");
        if (files && chosen) files.files = chosen.files;
        const alone = shownPage.querySelector("section.desk-card > p.desk-error:not(.desk-files-again)");
        if (alone) again.prepend(document.adoptNode(alone));
        again.dataset.deskFilled = "1";
        if (window.htmx) window.htmx.process(again);
        announce(one, "desk:form");
        (firstOf(again, ".errors ") || firstOf(again))?.focus();
      } else {
        const why = answer.status === 413 ? "This is more than the desk takes in at once; leave a file out." : `The desk answered ${answer.status}.`;
        refuse(form, sentence ? sentence.textContent : `${why} Nothing was changed, and what you typed is kept.`, pressed);
      }
    });
    const refuse = (form, sentence, pressed) => {
      form.querySelectorAll(":scope > .desk-error").forEach((old) => old.remove());
      const error = document.createElement("p");
      error.className = "desk-error";
      error.setAttribute("role", "alert");
      error.textContent = sentence;
      form.prepend(error);
      delete form.dataset.deskSent;
      form.querySelectorAll("button[type=submit]").forEach((button) => { button.disabled = false; });
      /* A button that is switched off loses the focus, sooner or later. */
      if (form.contains(pressed)) pressed.focus();
      else if (!form.contains(document.activeElement)) firstOf(form)?.focus();
    };

    /* --- one key each; "?" lists them --- */
    const keys = { r: "write_to_customer", c: "log_contact", a: "ask_customer", n: "add_note", e: "change_severity" };
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, [contenteditable], dialog")) return;
      if (event.key === "?") { document.getElementById("desk-keys")?.showModal(); return; }
      const slug = event.key === "." ? "resolve" : keys[event.key];
      const link = slug && !loading && document.querySelector(`a[data-desk-form="${slug}"]`);
      if (!link) return;
      event.preventDefault();
      load(link).catch(() => location.assign(link.href));
    });

    /* The conversation ends where the window ends, whatever stands above it. */
    const main = document.querySelector(".desk-main");
    const fit = () => {
      if (!main.offsetParent) return;
      const above = main.getBoundingClientRect().top + window.scrollY;
      document.body.style.setProperty("--desk-above", `${Math.ceil(above + 40)}px`);
    };
    fit();
    document.getElementById("desk-call")?.addEventListener("desk:shown", fit); /* the bar comes and goes */

    forget();
    mark();
    forms.querySelectorAll("[data-desk-form-of]").forEach(prepare);
    const asked = root.hasAttribute("data-desk-asked");
    if (asked) {
      root.scrollIntoView({ block: "nearest" });
      const focus = () => forms.querySelector("textarea, select, input:not([type=hidden])")?.focus({ preventScroll: true });
      focus();
      /* The address ends in #do: when the page has loaded, the browser takes the focus away once more. */
      window.addEventListener("load", () => { if ([root, document.body].includes(document.activeElement)) focus(); }, { once: true });
    } else {
      const drafted = [...root.querySelectorAll("nav > a.has-draft")].sort((one, other) =>
        store.read(keyOf(other.dataset.deskForm)).at - store.read(keyOf(one.dataset.deskForm)).at)[0];
      if (drafted && !drafted.hasAttribute("aria-current")) load(drafted).catch(() => {});
    }
  };

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", composer);
  else composer();
})();
