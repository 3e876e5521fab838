/* The little that the desk's pages do by themselves. Every move works without it being trusted: the server decides. */
"use strict";
(() => {
  const ready = (start) =>
    document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", start) : start();

  /* Menus close when one clicks elsewhere, or presses Esc. */
  const menus = () => {
    const close = (except) => document.querySelectorAll("details[data-desk-menu][open]").forEach((menu) => {
      if (menu !== except) menu.open = false;
    });
    document.addEventListener("click", (event) => close(event.target.closest("details[data-desk-menu]")));
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      const open = event.target.closest("details[data-desk-menu][open]");
      close(null);
      if (open) open.querySelector("summary").focus();
    });
  };

  /* A button that prints the page. */
  const printing = () => document.addEventListener("click", (event) => {
    if (event.target.closest("[data-desk-print]")) window.print();
  });

  /* A row of the side column loads its panel when it is opened for the first time. */
  const rows = () => {
    document.addEventListener("toggle", async (event) => {
      const row = event.target;
      if (!(row instanceof HTMLDetailsElement) || !row.open || !row.dataset.deskLoad) return;
      const address = row.dataset.deskLoad;
      delete row.dataset.deskLoad;
      const panel = row.querySelector(".desk-row-panel");
      panel.setAttribute("aria-busy", "true");
      try {
        const answer = await fetch(address, { headers: { "HX-Request": "true" } });
        if (!answer.ok) throw new Error(String(answer.status));
        panel.innerHTML = await answer.text();
        if (window.htmx) window.htmx.process(panel);
      } catch {
        row.dataset.deskLoad = address;
        panel.innerHTML = '<p class="desk-error" role="alert">This could not be loaded. Close the row and open it once more.</p>';
      }
      panel.removeAttribute("aria-busy");
    }, true);
  };

  /* A form is sent once: the second click finds the button off. Going back switches it on again. */
  const sentOnce = () => {
    document.addEventListener("submit", (event) => {
      if (!event.target.matches("form.desk-once, #case_form, #scheduleversion_form")) return;
      if (event.target.dataset.deskSent) {
        event.preventDefault();
        return;
      }
      const form = event.target;
      form.dataset.deskSent = "1";
      const buttons = form.querySelectorAll("button[type=submit]");
      /* After the form is gathered, which leaves out what is off; a refusal may have come before that. */
      setTimeout(() => { if (form.dataset.deskSent) buttons.forEach((button) => { button.disabled = true; }); }, 0);
    });
    window.addEventListener("pageshow", () => {
      document.querySelectorAll("form[data-desk-sent]").forEach((form) => {
        delete form.dataset.deskSent;
        form.querySelectorAll("button[type=submit]").forEach((button) => { button.disabled = false; });
      });
    });
  };

  /* The reason we wait picks the plan, until somebody picks another one (F1). */
  const plans = (root) => {
    root.querySelectorAll("select[data-desk-plans]").forEach((reason) => {
      const plan = reason.form.querySelector("select[name=plan]");
      const usual = JSON.parse(reason.dataset.deskPlans);
      let chosen = plan.value !== usual[reason.value];
      plan.addEventListener("change", () => { chosen = true; });
      reason.addEventListener("change", () => { if (!chosen) plan.value = usual[reason.value]; });
    });
  };

  /* Fields that only some answers ask for. What was typed into a hidden one stays. */
  const shown = (root) => {
    const answerOf = (asked) => (asked.type === "checkbox" && !asked.checked ? "" : asked.value);
    root.querySelectorAll("[data-desk-shows]").forEach((asked) => {
      const show = () => {
        const all = [...asked.form.querySelectorAll("[data-desk-shows]")];
        Object.keys(JSON.parse(asked.dataset.deskShows)).forEach((name) => {
          const field = asked.form.querySelector(`[data-desk-field="${name}"]`);
          const asking = all.filter((one) => name in JSON.parse(one.dataset.deskShows));
          if (field) field.hidden = !asking.every((one) => JSON.parse(one.dataset.deskShows)[name].includes(answerOf(one)));
        });
      };
      asked.addEventListener("change", show);
      show();
    });
  };

  /* A preview that cannot be had is empty: the one before it told of another choice. */
  const previews = () => {
    ["htmx:responseError", "htmx:sendError", "htmx:timeout"].forEach((failure) => {
      document.addEventListener(failure, (event) => {
        const block = event.target.closest(".desk-preview");
        if (block) block.replaceChildren();
      });
    });
  };

  /* Files that are too many or too large are named before they are sent; the desk checks them again. */
  const files = () => {
    const megabytes = (size) => `${(size / 1000000).toFixed(1)} MB`;
    const wrong = (chosen, { most, each, together }) => {
      const large = chosen.find((file) => file.size > each);
      const sum = chosen.reduce((soFar, file) => soFar + file.size, 0);
      if (chosen.length > most) return `These are ${chosen.length} files, and at most ${most} go together.`;
      if (large) return `“${large.name}” has ${megabytes(large.size)}, and a file may have ${megabytes(each)}.`;
      return sum > together ? `The files have ${megabytes(sum)} together, and at most ${megabytes(together)} go at once.` : "";
    };
    /* Before the theme's own listener, which looks for a text beside each field and fails without one. */
    document.addEventListener("change", (event) => {
      const field = event.target;
      if (!field.matches("input[data-desk-files]")) return;
      event.stopPropagation();
      field.setCustomValidity(wrong([...field.files], JSON.parse(field.dataset.deskFiles)));
      field.reportValidity();
    }, true);
  };

  /* The suggested severity, as the answers at intake are given; a person decides (C2). */
  const suggestion = () => {
    document.querySelectorAll("select[data-desk-suggests]").forEach((severity) => {
      const { affected, impact, labels, neither } = JSON.parse(severity.dataset.deskSuggests);
      const [who, how] = ["affected", "impact"].map((name) => severity.form.querySelector(`select[name=${name}]`));
      const worst = Object.keys(labels);
      const show = () => {
        const said = [affected[who.value], impact[how.value]].filter(Boolean);
        said.sort((one, other) => worst.indexOf(one) - worst.indexOf(other));
        severity.options[0].textContent = `As the answers suggest: ${labels[said[0] || neither]}`;
      };
      [who, how].forEach((select) => select.addEventListener("change", show));
      show();
    });
  };

  /* Suggested contacts are those of the chosen company; another company empties the choice. A contact who is chosen
     first brings their company along, and one for whom no case may be opened is refused at once (D3). */
  const contacts = () => {
    const contact = document.getElementById("id_contact");
    const company = document.getElementById("id_company");
    const $ = window.django && window.django.jQuery;
    if (!$ || !contact || !company || !contact.dataset["ajax-Url"]) return;
    const address = contact.dataset["ajax-Url"];
    $.ajaxPrefilter((options) => {
      if (options.url && options.url.startsWith(address) && company.value) {
        options.url += `${options.url.includes("?") ? "&" : "?"}company=${encodeURIComponent(company.value)}`;
      }
    });
    /* The admin announces a change of every select when a page is ready: only another company is one. */
    let chosen = company.value;
    let theirs = chosen;
    const refusal = document.createElement("p");
    refusal.className = "desk-error";
    refusal.setAttribute("role", "alert");
    refusal.hidden = true;
    const refuse = (sentence) => {
      refusal.textContent = sentence;
      refusal.hidden = !sentence;
    };
    (contact.closest(".field-contact") || contact.parentElement).append(refusal);
    $(company).on("change", () => {
      if (company.value === chosen) return;
      chosen = company.value;
      if (!theirs || theirs === chosen) return;
      theirs = "";
      $(contact).val(null).trigger("change");
    });
    $(contact).on("change", () => { if (!contact.value) refuse(""); });
    $(contact).on("select2:select", (event) => {
      const person = event.params.data;
      refuse(person.refusal || "");
      if (!person.company) return;
      theirs = person.company.id;
      if (company.value === theirs) return;
      if (![...company.options].some((option) => option.value === theirs)) {
        company.append(new Option(person.company.text, theirs));
      }
      $(company).val(theirs).trigger("change");
    });
  };

  /* Fields that search while one types (select2) and fields in a table have a name, also those that come later. */
  const names = () => {
    const nameOf = (select) => select.getAttribute("aria-label") || select.labels[0]?.textContent.trim() || select.dataset.placeholder || "";
    /* In a table it is the column that has the words. */
    const cells = () => document.querySelectorAll("#content td[data-label] :is(input, select, textarea):not([type=hidden], [aria-label])").forEach((field) => {
      const said = field.closest("td").dataset.label;
      if (said && !field.labels[0]) field.setAttribute("aria-label", said);
    });
    const call = () => document.querySelectorAll(".select2-container:not([data-desk-called])").forEach((box) => {
      const select = box.previousElementSibling;
      if (!select?.matches("select")) return;
      box.dataset.deskCalled = "1";
      if (document.activeElement === select) box.querySelector("[role=combobox]").focus();
      const label = select.labels[0];
      if (label && !label.id) label.id = `${select.id}-label`;
      box.querySelectorAll("[role=combobox], [role=textbox], [role=searchbox]").forEach((part) => {
        const value = part.getAttribute("aria-labelledby");
        if (label) part.setAttribute("aria-labelledby", value && value !== part.id ? `${label.id} ${value}` : label.id);
        else part.setAttribute("aria-label", nameOf(select));
      });
    });
    const callAll = () => {
      cells();
      call();
    };
    callAll();
    new MutationObserver(callAll).observe(document.body, { childList: true, subtree: true });
    const $ = window.django && window.django.jQuery;
    if (!$) return;
    $(document).on("select2:open", (event) => {
      document.querySelectorAll(".select2-dropdown .select2-search__field, .select2-dropdown [role=listbox]").forEach((part) => {
        part.setAttribute("aria-label", nameOf(event.target));
      });
    });
  };

  /* After a refusal one goes on writing where something is wrong (S4). */
  const wrongFirst = () => {
    const wrong = [...document.querySelectorAll("#content [aria-invalid=true]:not([type=hidden])")]
      .map((field) => (field.matches(".select2-hidden-accessible") ? field.nextElementSibling.querySelector(".select2-selection") : field))
      .find((field) => field.getClientRects().length);
    if (wrong) wrong.focus();
  };

  /* What is loaded into the conversation may take the focus away with it: it stays in the conversation. */
  const conversation = () => {
    document.addEventListener("htmx:afterSettle", (event) => {
      if (!event.target.closest("#desk-conversation")) return;
      const pane = document.querySelector("#desk-conversation .desk-scroll");
      if (pane && document.activeElement === document.body) pane.focus({ preventScroll: true });
    });
  };

  /* Forms that a script loads into the page behave like those that came with it. */
  document.addEventListener("desk:form", (event) => {
    plans(event.target);
    shown(event.target);
  });

  ready(() => {
    menus();
    rows();
    sentOnce();
    printing();
    plans(document);
    shown(document);
    files();
    previews();
    suggestion();
    contacts();
    names();
    conversation();
  });
  window.addEventListener("load", wrongFirst);
})();
