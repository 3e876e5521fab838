/* The bar with an offered call on every page, and pages that ask again and again. The server decides everything. */
"use strict";
(() => {
  const SLOWER_WHEN_HIDDEN = 2;
  const ring = { title: document.title, timer: 0, sound: null, of: "" };

  /* Browsers let a page sound only after its reader has touched it. */
  const wake = () => {
    if (!ring.sound && window.AudioContext) ring.sound = new AudioContext();
    if (ring.sound && ring.sound.state === "suspended") ring.sound.resume();
  };

  const beep = () => {
    if (!ring.sound || ring.sound.state !== "running") return;
    const now = ring.sound.currentTime;
    [0, 0.25].forEach((after) => {
      const tone = ring.sound.createOscillator();
      const volume = ring.sound.createGain();
      tone.frequency.value = 660;
      volume.gain.setValueAtTime(0.15, now + after);
      volume.gain.exponentialRampToValueAtTime(0.001, now + after + 0.2);
      tone.connect(volume).connect(ring.sound.destination);
      tone.start(now + after);
      tone.stop(now + after + 0.2);
    });
  };

  const ringing = (who, kind) => {
    if (who === ring.of) return;
    ring.of = who;
    clearInterval(ring.timer);
    document.title = ring.title;
    if (!who) return;
    let on = false;
    const turn = () => {
      on = !on;
      document.title = on ? `${kind}: ${who}` : ring.title;
      if (on) beep();
    };
    turn();
    ring.timer = setInterval(turn, 1500);
  };

  /* The focus stays where it was, on the element of the same id. */
  const show = (place, html) => {
    const focused = place.contains(document.activeElement) ? document.activeElement.id : "";
    place.innerHTML = html;
    const again = focused && document.getElementById(focused);
    if (again) again.focus();
  };

  const poll = (place) => {
    let seen = "";
    const ask = async () => {
      const hidden = document.visibilityState === "hidden" ? SLOWER_WHEN_HIDDEN : 1;
      let pause = Number(place.dataset.deskEvery) * 1000 * hidden;
      try {
        const answer = await fetch(`${place.dataset.deskPoll}?seen=${seen}`, {
          headers: { "X-Desk-Poll": "1" }, credentials: "same-origin", redirect: "manual",
        });
        if (answer.status === 200) {
          seen = answer.headers.get("X-Desk-Key") || "";
          show(place, await answer.text());
          place.dispatchEvent(new CustomEvent("desk:shown"));
        } else if (answer.status !== 204) {
          pause *= 5; /* signed out, or the desk restarts */
        }
      } catch {
        pause *= 5;
      }
      setTimeout(ask, pause);
    };
    ask();
  };

  const start = () => {
    ["pointerdown", "keydown"].forEach((touch) => document.addEventListener(touch, wake, { passive: true }));
    const bar = document.getElementById("desk-call");
    if (bar) {
      bar.addEventListener("desk:shown", () => {
        const offered = bar.querySelector("[data-desk-ring]");
        ringing(offered ? offered.dataset.deskRing : "", offered ? offered.dataset.deskRingKind : "");
      });
    }
    document.querySelectorAll("[data-desk-poll]").forEach(poll);
  };

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
