/* The command palette is Unfold's. Enter opens the chosen case, or the first one; with nothing to open it does nothing,
   where Unfold's script fails. Its field gets the focus as soon as it is shown, which on a busy machine is later than the
   moment at which Unfold tries. */
"use strict";
document.addEventListener("alpine:init", () => {
  const unfolds = window.searchCommand;
  if (!unfolds) return;
  window.searchCommand = () => {
    const command = unfolds();
    const open = command.handleOpen;
    command.handleOpen = function () {
      open.call(this);
      const tries = performance.now() + 3000;
      const focus = () => {
        const field = this.$refs.searchInputCommand;
        if (!this.openCommandResults || performance.now() > tries) return;
        field.focus();
        if (document.activeElement !== field) requestAnimationFrame(focus);
      };
      requestAnimationFrame(focus);
    };
    const select = command.selectItem;
    command.selectItem = function (...how) {
      if (!this.currentIndex && this.hasResults) this.currentIndex = 1;
      const item = this.items && this.items[this.currentIndex - 1];
      if (item && item.querySelector("a")) select.apply(this, how);
    };
    const scroll = command.scrollToActiveItem;
    command.scrollToActiveItem = function () {
      if (this.items) scroll.call(this);
    };
    return command;
  };
});
