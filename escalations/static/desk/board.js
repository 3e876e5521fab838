/* The live board: asks for its figures again and again, and changes only the tiles that are different, so that nothing
   flickers and no focus is lost. Says since when it is not fresh while the desk does not answer. */
"use strict";
(() => {
  const SLOWER_WHEN_HIDDEN = 6;
  const LONGEST_PAUSE = 60000;

  const changeTiles = (place, html) => {
    const fresh = new DOMParser().parseFromString(html, "text/html");
    fresh.querySelectorAll("[data-tile]").forEach((tile) => {
      const shown = place.querySelector(`[data-tile="${tile.dataset.tile}"]`);
      if (!shown || shown.outerHTML === tile.outerHTML) return;
      const focused = shown.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
      shown.replaceWith(tile);
      const again = focused && [...tile.querySelectorAll("a[href]")].find((link) => link.getAttribute("href") === focused);
      if (again) again.focus({ preventScroll: true });
    });
  };

  const refresh = (board) => {
    const place = board.querySelector("[data-desk-tiles]");
    const asOf = board.querySelector("[data-desk-as-of]");
    const stale = board.querySelector("[data-desk-stale]");
    let seen = "";
    let failed = 0;
    let timer = 0;
    const notFresh = (why) => {
      const sentence = `Not fresh since ${asOf.textContent}: ${why}.`;
      if (stale.textContent !== sentence) stale.textContent = sentence;
      stale.hidden = false;
      board.classList.add("is-stale");
    };
    const ask = async () => {
      clearTimeout(timer);
      const every = Number(board.dataset.deskEvery) * 1000;
      try {
        const answer = await fetch(`${board.dataset.deskBoard}?seen=${seen}`, {
          headers: { "X-Desk-Poll": "1" }, credentials: "same-origin", redirect: "manual",
        });
        if (answer.status !== 200 && answer.status !== 204) throw answer;
        if (answer.status === 200) {
          seen = answer.headers.get("X-Desk-Key") || "";
          changeTiles(place, await answer.text());
        }
        asOf.textContent = answer.headers.get("X-Desk-At") || asOf.textContent;
        failed = 0;
        stale.hidden = true;
        board.classList.remove("is-stale");
      } catch (problem) {
        failed += 1;
        const signedOut = problem instanceof Response && (problem.type === "opaqueredirect" || problem.status === 403);
        notFresh(signedOut ? "you are signed out; open the page anew" : "the desk does not answer, and is asked again");
      }
      const hidden = document.visibilityState === "hidden" ? SLOWER_WHEN_HIDDEN : 1;
      timer = setTimeout(ask, Math.min(every * hidden * (failed > 2 ? 2 : 1), LONGEST_PAUSE));
    };
    document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") ask(); });
    timer = setTimeout(ask, Number(board.dataset.deskEvery) * 1000);
  };

  const fullScreen = (board) => {
    const button = board.querySelector("[data-desk-full]");
    if (!document.fullscreenEnabled) return;
    button.hidden = false;
    button.addEventListener("click", () => {
      if (document.fullscreenElement) document.exitFullscreen();
      else board.requestFullscreen();
    });
    document.addEventListener("fullscreenchange", () => {
      const name = document.fullscreenElement ? "Leave full screen" : "Full screen";
      button.querySelector("[data-desk-full-name]").textContent = name;
    });
  };

  const board = document.querySelector("[data-desk-board]");
  if (board) {
    refresh(board);
    fullScreen(board);
  }
})();
