/* The little that the desk's pages do by themselves. Every move works without it being trusted: the server decides. */
"use strict";
(() => {
  const ready = (start) =>
    document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", start) : start();

  /* Dialogs: a button opens one, Esc or Cancel closes it, what was typed stays. */
  const dialogs = () => {
    document.addEventListener("click", (event) => {
      const opener = event.target.closest("[data-desk-opens]");
      if (opener) {
        const dialog = document.getElementById(opener.dataset.deskOpens);
        dialog.showModal();
        const first = dialog.querySelector("textarea, select, input:not([type=hidden])");
        (first || dialog.querySelector("button[type=submit]")).focus();
      }
      const closer = event.target.closest("[data-desk-closes]");
      if (closer) closer.closest("dialog").close();
      if (event.target.matches("dialog.desk-dialog")) {
        const box = event.target.getBoundingClientRect();
        const inside =
          event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
        if (!inside) event.target.close();
      }
    });
  };

  /* A form is sent once: the second click finds the button off. Going back switches it on again. */
  const sentOnce = () => {
    document.addEventListener("submit", (event) => {
      if (!event.target.matches("form.desk-once, #case_form")) return;
      if (event.target.dataset.deskSent) {
        event.preventDefault();
        return;
      }
      event.target.dataset.deskSent = "1";
      const buttons = event.target.querySelectorAll("button[type=submit]");
      setTimeout(() => buttons.forEach((button) => { button.disabled = true; }), 0);
    });
    window.addEventListener("pageshow", () => {
      document.querySelectorAll("form[data-desk-sent]").forEach((form) => {
        delete form.dataset.deskSent;
        form.querySelectorAll("button[type=submit]").forEach((button) => { button.disabled = false; });
      });
    });
  };

  /* Tabs of the case's page: arrow keys move between them, #details opens the second. */
  const tabs = () => {
    document.querySelectorAll("[data-desk-tabs]").forEach((list) => {
      const all = [...list.querySelectorAll("[role=tab]")];
      const choose = (chosen, focus) => {
        all.forEach((tab) => {
          const on = tab === chosen;
          tab.setAttribute("aria-selected", String(on));
          tab.tabIndex = on ? 0 : -1;
          document.getElementById(tab.getAttribute("aria-controls")).hidden = !on;
        });
        if (focus) chosen.focus();
      };
      all.forEach((tab, index) => {
        tab.addEventListener("click", () => choose(tab));
        tab.addEventListener("keydown", (event) => {
          const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
          if (step) choose(all[(index + step + all.length) % all.length], true);
        });
      });
      const named = all.find((tab) => `#${tab.id.replace("tab-", "")}` === window.location.hash);
      choose(named || all.find((tab) => tab.getAttribute("aria-selected") === "true"));
    });
  };

  /* The reason we wait picks the plan, until somebody picks another one (F1). */
  const plans = () => {
    document.querySelectorAll("select[data-desk-plans]").forEach((reason) => {
      const plan = reason.form.querySelector("select[name=plan]");
      const usual = JSON.parse(reason.dataset.deskPlans);
      let chosen = plan.value !== usual[reason.value];
      plan.addEventListener("change", () => { chosen = true; });
      reason.addEventListener("change", () => { if (!chosen) plan.value = usual[reason.value]; });
    });
  };

  /* Fields that only some answers ask for. What was typed into a hidden one stays. */
  const shown = () => {
    document.querySelectorAll("[data-desk-shows]").forEach((asked) => {
      const wanted = JSON.parse(asked.dataset.deskShows);
      const show = () => {
        const answer = asked.type === "checkbox" && !asked.checked ? "" : asked.value;
        Object.entries(wanted).forEach(([name, answers]) => {
          const field = asked.form.querySelector(`[data-desk-field="${name}"]`);
          if (field) field.hidden = !answers.includes(answer);
        });
      };
      asked.addEventListener("change", show);
      show();
    });
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

  ready(() => {
    dialogs();
    sentOnce();
    tabs();
    plans();
    shown();
    suggestion();
    contacts();
  });
})();
