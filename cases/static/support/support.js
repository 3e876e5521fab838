/* Passkeys: the browser makes or uses one, and the form sends what it answers. Drafts: what is typed is kept in this
   browser until it has arrived, or for two weeks. Everything else works without script. */
"use strict";
(() => {
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const known = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

  const made = async (asked) => {
    const publicKey = { ...asked, challenge: bytes(asked.challenge), user: { ...asked.user, id: bytes(asked.user.id) }, excludeCredentials: known(asked.excludeCredentials) };
    const answer = await navigator.credentials.create({ publicKey });
    return written(answer, { clientDataJSON: answer.response.clientDataJSON, attestationObject: answer.response.attestationObject });
  };
  const used = async (asked) => {
    const publicKey = { ...asked, challenge: bytes(asked.challenge), allowCredentials: known(asked.allowCredentials) };
    const answer = await navigator.credentials.get({ publicKey });
    const { clientDataJSON, authenticatorData, signature, userHandle } = answer.response;
    return written(answer, { clientDataJSON, authenticatorData, signature, userHandle });
  };
  const written = (answer, parts) => JSON.stringify({
    id: answer.id, rawId: text(answer.rawId), type: answer.type, clientExtensionResults: {},
    authenticatorAttachment: answer.authenticatorAttachment || undefined,
    response: Object.fromEntries(Object.entries(parts).filter(([, value]) => value).map(([name, value]) => [name, text(value)])),
  });

  const prepare = (form) => {
    const ceremony = { create: made, get: used }[form.dataset.passkey];
    const trouble = form.querySelector(".error[role=alert][hidden]");
    form.hidden = false;
    form.querySelectorAll("button[hidden]").forEach((button) => { button.hidden = false; });
    form.addEventListener("submit", async (event) => {
      if (form.elements.credential.value || (form.elements.name && !form.elements.name.value.trim())) return;
      event.preventDefault();
      trouble.hidden = true;
      try {
        const answer = await fetch(form.dataset.options || form.action, { headers: { Accept: "application/json" }, credentials: "same-origin" });
        if (!answer.ok) throw new Error(answer.statusText);
        form.elements.credential.value = await ceremony((await answer.json()).publicKey);
        form.submit();
      } catch {
        trouble.hidden = false;
      }
    });
  };

  if (window.PublicKeyCredential) document.querySelectorAll("form[data-passkey]").forEach(prepare);
})();

(() => {
  const KEPT_FOR = 14 * 24 * 60 * 60 * 1000;
  const SENT = "support-sent";
  const owner = document.body.dataset.owner;
  if (!owner) return;
  const prefix = `support-draft:${owner}:`;
  const read = (key) => { try { return JSON.parse(localStorage.getItem(key)); } catch { return null; } };
  const write = (key, draft) => { try { localStorage.setItem(key, JSON.stringify(draft)); } catch { /* full or forbidden */ } };
  const drop = (key) => { try { localStorage.removeItem(key); } catch { /* forbidden */ } };
  const all = () => { try { return Object.keys(localStorage).filter((key) => key.startsWith("support-draft:")); } catch { return []; } };
  const fields = (form) => [...form.elements].filter((field) => field.name && (field.matches("textarea, select") || field.matches("input[type=text], input[type=date]")));

  all().forEach((key) => {
    const draft = read(key);
    if (!draft || Date.now() - draft.at > KEPT_FOR) drop(key);
  });
  /* The page that says so shows that it has arrived. */
  const sent = sessionStorage.getItem(SENT);
  sessionStorage.removeItem(SENT);
  if (sent && document.querySelector(".messages .success, .messages .info")) drop(sent);

  document.querySelectorAll("form[data-draft]").forEach((form) => {
    const key = prefix + form.dataset.draft;
    const draft = read(key);
    if (draft && !form.querySelector(".error")) {
      fields(form).filter((field) => !field.value && draft.typed[field.name]).forEach((field) => { field.value = draft.typed[field.name]; });
    }
    form.addEventListener("input", () => {
      write(key, { at: Date.now(), typed: Object.fromEntries(fields(form).map((field) => [field.name, field.value])) });
    });
    form.addEventListener("submit", () => sessionStorage.setItem(SENT, key));
  });
  document.querySelectorAll("form[data-forgets]").forEach((form) => {
    form.addEventListener("submit", () => all().filter((key) => key.startsWith(prefix)).forEach(drop));
  });
})();
