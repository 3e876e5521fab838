/* What was typed survives the end of a session: a form that is sent is kept in this tab until the next page shows that
   it arrived. The sign-in page and the page about a lost token mark it; the form's own page then gives it back. */
"use strict";
(() => {
  const KEY = "desk-draft";
  const KEPT_FOR = 30 * 60 * 1000;
  const read = () => {
    try { return JSON.parse(sessionStorage.getItem(KEY)); } catch { return null; }
  };
  const drop = () => sessionStorage.removeItem(KEY);
  const mark = (draft) => sessionStorage.setItem(KEY, JSON.stringify({ ...draft, interrupted: true }));

  const keep = (form) => {
    const fields = [...form.elements].filter((field) => field.name && !["hidden", "password", "submit", "button", "file"].includes(field.type));
    const typed = fields.map((field) => ({
      name: field.name,
      value: field.value,
      checked: field.checked,
      label: field.selectedOptions && field.selectedOptions[0] ? field.selectedOptions[0].textContent : "",
    }));
    const draft = { page: location.pathname.replace(/do\/[a-z_]+\/$/, "change/"), action: form.getAttribute("action") || "", at: Date.now(), typed };
    try { sessionStorage.setItem(KEY, JSON.stringify(draft)); } catch { drop(); }
  };

  const fill = (form, typed) => typed.forEach(({ name, value, checked, label }) => {
    [...form.elements].filter((field) => field.name === name).forEach((field) => {
      if (field.type === "checkbox" || field.type === "radio") field.checked = field.value === value ? checked : field.checked;
      else {
        if (field.tagName === "SELECT" && value && ![...field.options].some((option) => option.value === value)) {
          field.add(new Option(label, value, true, true));
        }
        field.value = value;
        if (field.tagName === "SELECT") field.dispatchEvent(new Event("change", { bubbles: true }));
      }
    });
  });

  const giveBack = (draft) => {
    const forms = [...document.querySelectorAll("form.desk-once, #case_form, #scheduleversion_form")];
    const form = forms.find((one) => (one.getAttribute("action") || "") === draft.action && one.querySelector("textarea, select, input:not([type=hidden])"));
    if (!form) return;
    fill(form, draft.typed);
    const said = document.createElement("p");
    said.className = "desk-hint desk-draft";
    said.setAttribute("role", "status");
    said.textContent = "You had to sign in again. Nothing was saved yet; what you typed is still here.";
    form.prepend(said);
  };

  const start = () => {
    document.addEventListener("submit", (event) => {
      if (event.target.closest(".desk-composer-forms")) return;  // composer.js keeps these
      if (event.target.matches("form.desk-once, #case_form, #scheduleversion_form")) keep(event.target);
    });
    const draft = read();
    if (!draft) return;
    if (Date.now() - draft.at > KEPT_FOR) { drop(); return; }
    const back = document.querySelector("a[data-back]");
    if (back) {
      mark(draft);
      back.href = draft.page;
    } else if (document.body.classList.contains("login")) {
      mark(draft);
    } else if (draft.interrupted && draft.page === location.pathname) {
      drop();
      giveBack(draft);
    } else if (!draft.interrupted) {
      drop();
    }
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
