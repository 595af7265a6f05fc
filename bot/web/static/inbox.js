// Small comforts only: every page works without this file.
(function () {
  "use strict";

  // A form that is on its way is not sent twice by an impatient second click.
  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (form.dataset.sent === "1") {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "1";
    window.setTimeout(function () {
      form.dataset.sent = "";
    }, 4000);
  });

  // Back from the browser's own cache: forms may be sent again.
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("form[data-sent]").forEach(function (form) {
      form.dataset.sent = "";
    });
  });

  // Leaving a half-written answer asks first.
  var dirty = false;
  document.addEventListener("input", function (event) {
    if (event.target.matches("textarea")) {
      dirty = event.target.value.trim() !== "";
    }
  });
  document.addEventListener("submit", function () {
    dirty = false;
  });
  window.addEventListener("beforeunload", function (event) {
    if (dirty) {
      event.preventDefault();
    }
  });

  // A part that refreshes itself says what it shows already, so that nothing is swapped while nothing changed.
  document.addEventListener("htmx:configRequest", function (event) {
    var seen = event.target.dataset.shown;
    if (seen) {
      event.detail.headers["X-Seen"] = seen;
    }
  });
  document.addEventListener("htmx:afterRequest", function (event) {
    var mark = event.detail.xhr && event.detail.xhr.getResponseHeader("X-Seen");
    if (mark) {
      event.detail.target.dataset.shown = mark;
    }
  });

  // "/" goes to the search box, as in many inboxes; never while somebody types.
  document.addEventListener("keydown", function (event) {
    var search = document.getElementById("f-q");
    if (event.key === "/" && search && !event.target.matches("input, textarea, select")) {
      event.preventDefault();
      search.focus();
    }
  });
})();
