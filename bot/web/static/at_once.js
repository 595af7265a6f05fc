// What one presses is seen at once: a button that sends says so, and the next report's first words stand there while the
// server still works. What the server answers takes its place, whatever it is. The page works without this file.
(function () {
  "use strict";

  var BUTTON_FOR = 4000; // a download never leaves the page; after that one may press again
  var REPORT_FOR = 10000; // longer than this it is no good news: the page says again what is known

  function main() {
    return document.getElementById("main");
  }

  function isUnsaved() {
    return document.documentElement.dataset.unsaved === "1";
  }

  // ---- a button that sends ----

  function press(one, milliseconds) {
    one.classList.add("is-sending");
    one.setAttribute("aria-busy", "true");
    window.setTimeout(release, milliseconds, one);
  }

  function release(one) {
    one.classList.remove("is-sending");
    one.removeAttribute("aria-busy");
  }

  // ---- the report that comes ----

  var focused = null;

  function bars(of, many) {
    var box = document.createElement("div");
    box.className = "card skeleton-card";
    for (var n = 0; n < many; n += 1) {
      var bar = document.createElement("span");
      bar.className = "skeleton-bar";
      box.appendChild(bar);
    }
    of.appendChild(box);
  }

  // What the list knows of a report is all that is shown of it: its code, its subject, its first words.
  function show(row) {
    var page = main();
    var coming = document.createElement("div");
    coming.id = "coming";
    coming.className = "coming";
    var title = document.createElement("p");
    title.className = "coming-title";
    title.textContent = row.querySelector(".code").textContent + ": " + row.dataset.topic;
    var words = document.createElement("p");
    words.className = "card coming-words";
    words.textContent = row.querySelector(".first-words").textContent.replace(/\s+/g, " ").trim();
    coming.append(title, words);
    bars(coming, 3);
    bars(coming, 4);
    focused = document.activeElement;
    page.insertBefore(coming, page.querySelector("h1"));
    page.classList.add("is-leaving");
    document.querySelectorAll("#list .row.is-open").forEach(function (one) {
      one.classList.remove("is-open");
      one.classList.add("was-open");
    });
    row.classList.add("is-open");
    row.scrollIntoView({ block: "nearest" });
    window.scrollTo(0, 0);
    window.setTimeout(back, REPORT_FOR);
  }

  function back() {
    var coming = document.getElementById("coming");
    if (!coming) {
      return;
    }
    coming.remove();
    main().classList.remove("is-leaving");
    document.querySelectorAll("#list .row.is-open").forEach(function (one) {
      one.classList.remove("is-open");
    });
    document.querySelectorAll("#list .row.was-open").forEach(function (one) {
      one.classList.remove("was-open");
      one.classList.add("is-open");
    });
    focused.focus({ preventScroll: true });
  }

  function rowOfAddress(address) {
    var found = /\/tickets\/(\d+)(?:\?|$)/.exec(address);
    return found ? rowOfNumber(found[1]) : null;
  }

  function rowOfNumber(number) {
    return /^\d+$/.test(number) ? document.querySelector('#list .row[data-ticket="' + number + '"]') : null;
  }

  // ---- what is pressed ----

  document.addEventListener("submit", function (event) {
    if (event.defaultPrevented || !main() || event.target.target === "_blank") {
      return;
    }
    var button = event.submitter;
    if (button) {
      press(button, BUTTON_FOR);
    }
    var next = event.target.elements.namedItem("next");
    var row = button && button.name === "then" && button.value === "next" && next ? rowOfNumber(next.value) : null;
    if (row && !document.getElementById("coming")) {
      show(row);
    }
  });

  document.addEventListener("click", function (event) {
    var link = event.target.closest ? event.target.closest("a[href]") : null;
    if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey ||
        event.altKey || link.target || link.hasAttribute("download") || link.origin !== window.location.origin) {
      return;
    }
    if (link.pathname === window.location.pathname && link.search === window.location.search && link.hash) {
      return; // a place on this page
    }
    if (/\.(pdf|xlsx|csv|docx|zip)$/.test(link.pathname)) {
      return;
    }
    press(link, BUTTON_FOR);
    var row = document.querySelector(".desk #list") && rowOfAddress(link.href);
    if (row && !link.hash && !isUnsaved() && !document.getElementById("coming")) {
      show(row);
    }
  });

  document.addEventListener("keydown", function (event) {
    if (event.key === "Escape" && document.getElementById("coming")) {
      window.stop();
      back();
      document.querySelectorAll(".is-sending").forEach(release);
      document.querySelectorAll("form[data-sent]").forEach(function (form) { form.dataset.sent = ""; });
    }
  });

  window.addEventListener("pageshow", function (event) {
    if (event.persisted) {
      back();
      document.querySelectorAll(".is-sending").forEach(release);
    }
  });
})();
