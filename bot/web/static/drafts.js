// Keeps what an official writes on the server while they write. The page works without this file: there is a button.
(function () {
  "use strict";

  var AFTER = 1000; // of quiet
  var AT_LATEST = 1500; // while one writes on
  var waiting = new Map();

  function composer(target) {
    return target.closest ? target.closest("form[data-draft]") : null;
  }

  function save(form) {
    var state = waiting.get(form);
    window.clearTimeout(state.timer);
    state.timer = null;
    if (state.busy) {
      state.again = true;
      return;
    }
    var body = new FormData(form);
    body.delete("image");
    body.set("kind", form.dataset.draft);
    state.busy = new AbortController();
    fetch(form.dataset.drafts, {
      method: "POST",
      body: body,
      headers: { "HX-Request": "true" },
      keepalive: true,
      signal: state.busy.signal,
    })
      .then(function (answer) {
        return answer.ok ? answer.text() : Promise.reject(answer);
      })
      .then(
        function (words) {
          show(form, words.trim());
          if (!state.timer && !state.again) {
            document.dispatchEvent(new CustomEvent("draft:saved"));
          }
        },
        function (problem) {
          if (problem.name !== "AbortError") {
            show(form, form.querySelector(".draft-status").dataset.failed);
          }
        }
      )
      .then(function () {
        state.busy = null;
        if (state.again) {
          state.again = false;
          save(form);
        }
      });
  }

  function show(form, words) {
    var status = form.querySelector(".draft-status");
    if (status.textContent !== words) {
      status.textContent = words;
    }
  }

  function changed(event) {
    var form = composer(event.target);
    if (!form || event.target.type === "file") {
      return;
    }
    var state = waiting.get(form) || { timer: null, busy: null, again: false, since: 0 };
    waiting.set(form, state);
    if (!state.timer) {
      state.since = Date.now();
    }
    window.clearTimeout(state.timer);
    var left = Math.max(0, Math.min(AFTER, state.since + AT_LATEST - Date.now()));
    state.timer = window.setTimeout(save, left, form);
  }

  document.addEventListener("input", changed);
  // A template or an earlier answer was put into the field: that is writing, too.
  document.addEventListener("htmx:afterSwap", function (event) {
    var field = event.target.id === "reply-words" ? event.target.querySelector("textarea") : null;
    if (field) {
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
  });
  document.addEventListener("change", changed);

  // What is sent now is no draft any more.
  document.addEventListener("submit", function (event) {
    var state = waiting.get(event.target);
    if (state) {
      window.clearTimeout(state.timer);
      state.timer = null;
      state.again = false;
      if (state.busy) {
        state.busy.abort();
      }
    }
  });

  // Whoever leaves within a second has it kept all the same.
  window.addEventListener("pagehide", function () {
    waiting.forEach(function (state, form) {
      if (state.timer) {
        save(form);
      }
    });
  });

  // What a colleague writes is renewed every few seconds: what one has folded open stays open, focus stays where it is.
  var open = [];
  var focused = null;
  document.addEventListener("htmx:oobBeforeSwap", function (event) {
    if (event.detail.target.id === "colleagues") {
      open = Array.from(event.detail.target.querySelectorAll("details[open]"), function (one) {
        return one.id;
      });
      var inside = document.activeElement && document.activeElement.closest("#colleagues details");
      focused = inside ? inside.id : null;
    }
  });
  document.addEventListener("htmx:oobAfterSwap", function () {
    open.forEach(function (id) {
      var one = document.getElementById(id);
      if (one) {
        one.open = true;
      }
    });
    var again = focused && document.getElementById(focused);
    if (again) {
      again.querySelector("summary").focus({ preventScroll: true });
    }
    open = [];
    focused = null;
  });
})();
