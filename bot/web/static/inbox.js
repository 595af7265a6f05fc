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
  function setUnsaved(unsaved) {
    document.documentElement.dataset.unsaved = unsaved ? "1" : "";
  }
  document.addEventListener("input", function (event) {
    if (event.target.matches("textarea")) {
      setUnsaved(event.target.value.trim() !== "");
    }
  });
  ["submit", "draft:saved"].forEach(function (name) {
    document.addEventListener(name, function () {
      setUnsaved(false);
    });
  });
  window.addEventListener("beforeunload", function (event) {
    if (document.documentElement.dataset.unsaved === "1") {
      event.preventDefault();
    }
  });

  // A part that refreshes itself says what it shows already, so that nothing is swapped while nothing changed, and
  // which rows, so that none of them moves: what is new is told beside the list.
  function numbers(name) {
    return Array.from(document.querySelectorAll("[data-" + name + "]"), function (one) {
      return one.getAttribute("data-" + name);
    }).join(",");
  }
  document.addEventListener("htmx:configRequest", function (event) {
    var asking = event.detail.elt;
    if (asking.id === "list") {
      if (asking.offsetParent === null) {
        event.preventDefault(); // nobody sees it
        return;
      }
      event.detail.headers["X-Rows"] = numbers("ticket");
      event.detail.headers["X-Calls"] = numbers("call");
    }
    if (asking.dataset.shown) {
      event.detail.headers["X-Seen"] = asking.dataset.shown;
    }
  });
  document.addEventListener("htmx:afterRequest", function (event) {
    var mark = event.detail.xhr && event.detail.xhr.getResponseHeader("X-Seen");
    if (mark) {
      event.detail.elt.dataset.shown = mark;
    }
    if (event.detail.elt.id === "list" && event.detail.xhr && event.detail.xhr.status === 200 &&
        !event.detail.xhr.getResponseHeader("HX-Retarget") && event.detail.xhr.getResponseHeader("HX-Reswap") !== "none") {
      document.getElementById("list-news").textContent = ""; // the rows are those there are
    }
    if (event.detail.elt.id === "list-update" && event.detail.successful) {
      document.getElementById("list-news").textContent = "";
      document.getElementById("list").dataset.shown = "";
    }
  });
})();
