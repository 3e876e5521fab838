/* A chat, for both sides: what is new is asked for again and again, slower while nobody writes and while the page is
   hidden, and a line is sent without leaving the page. What was typed stays until it has arrived. Without this script
   the forms work as usual. */
"use strict";
(() => {
  const EVERY = 3000;
  const QUIET = 6000;
  const QUIET_AFTER = 60000;
  const HIDDEN = 15000;
  const AFTER_TROUBLE = 10000;
  const WRITES_FOR = 5000;

  const token = () => Array.from(crypto.getRandomValues(new Uint8Array(12)), (one) => one.toString(16).padStart(2, "0")).join("");

  const start = (root) => {
    if (root.dataset.chatStarted) return;
    root.dataset.chatStarted = "1";
    const form = root.closest("form") || root.querySelector("form[data-chat-form]");
    const [log, view, now] = ["log", "scroll", "now"].map((part) => root.querySelector(`[data-chat-${part}]`));
    const field = form && form.querySelector("textarea");
    const trouble = root.querySelector("[data-chat-trouble]");
    const title = document.title;
    let { chatKey: key, chatAfter: after } = root.dataset;
    let typedAt = 0;
    let saidAt = Date.now();
    let timer = 0;
    let open = Boolean(form);
    let sending = false;
    let unsent = false; /* what was typed has not arrived: it says so until it has */

    const say = (sentence) => {
      if (trouble.textContent !== sentence) trouble.textContent = sentence;
      trouble.hidden = !sentence;
    };
    const toEnd = () => { view.scrollTop = view.scrollHeight; };
    const show = (news) => {
      if (news.go) { location.assign(news.go); return; }
      const fresh = Number(news.after) > Number(after);
      const atEnd = view.scrollHeight - view.scrollTop - view.clientHeight < 40;
      if (fresh) saidAt = Date.now();
      if (fresh && news.lines) log.insertAdjacentHTML("beforeend", news.lines);
      if (now.innerHTML !== news.now) now.innerHTML = news.now;
      [key, after, open] = [news.key, news.after, news.open];
      if (fresh && atEnd) toEnd();
      if (fresh && document.hidden) document.title = `● ${title}`;
      root.querySelectorAll("[data-chat-while-open]").forEach((one) => { one.hidden = !open; });
      if (!open && form !== root.closest("form") && field && !field.value.trim()) form.hidden = true;
    };

    const ask = async () => {
      clearTimeout(timer);
      const isQuiet = Date.now() - Math.max(saidAt, typedAt) > QUIET_AFTER;
      let pause = document.hidden ? HIDDEN : isQuiet ? QUIET : EVERY;
      try {
        const asked = new URLSearchParams({ key, after, writing: Date.now() - typedAt < WRITES_FOR ? "1" : "" });
        const answer = await fetch(`${root.dataset.chatLines}?${asked}`, {
          headers: { "X-Chat": "1" }, credentials: "same-origin", redirect: "manual", cache: "no-store",
        });
        if (answer.status === 200) show(await answer.json());
        else if (answer.type === "opaqueredirect") say(root.dataset.chatSignedOut);
        else if (answer.status !== 204) throw new Error(answer.statusText);
        if (answer.ok && !unsent) say("");
      } catch {
        say(root.dataset.chatLost);
        pause = AFTER_TROUBLE;
      }
      if (open && root.isConnected) timer = setTimeout(ask, pause);
    };

    const send = async (event) => {
      event.preventDefault();
      event.stopImmediatePropagation();
      if (sending) return;
      const files = form.querySelector("input[type=file]");
      if (!field.value.trim() && !(files && files.files.length)) { field.focus(); return; }
      sending = unsent = true;
      const body = new FormData(form);
      body.set("after", after);
      try {
        const answer = await fetch(root.dataset.chatSay, {
          method: "POST", body, headers: { "X-Chat": "1" }, credentials: "same-origin", redirect: "manual",
        });
        if (answer.status === 200) {
          unsent = false;
          field.value = "";
          if (files) files.value = "";
          form.elements.once.value = token();
          typedAt = 0;
          say("");
          field.dispatchEvent(new Event("input", { bubbles: true })); /* drafts */
          typedAt = 0;
          show(await answer.json());
          toEnd();
        } else if (answer.status === 422) {
          say((await answer.json()).error);
        } else {
          say(answer.type === "opaqueredirect" ? root.dataset.chatSignedOut : root.dataset.chatLost);
        }
      } catch {
        say(root.dataset.chatLost); /* with the same token: what has arrived is not taken twice */
      }
      sending = false;
      field.focus();
    };

    if (form) {
      form.addEventListener("submit", send, true);
      field.addEventListener("input", () => { typedAt = Date.now(); });
      field.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" || event.shiftKey || event.altKey || event.isComposing || event.keyCode === 229) return;
        event.preventDefault();
        event.stopPropagation();
        form.requestSubmit();
      });
    }
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) return;
      document.title = title;
      if (open) ask();
    });
    toEnd();
    ask();
  };

  const begin = () => document.querySelectorAll("[data-chat]").forEach(start);
  document.addEventListener("desk:form", begin);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
