// The keyboard of the inbox. Every deed here is a link or a button of the page: keys only press them.
(function () {
  "use strict";

  var OFF = "haichieu-keys-off";
  // For each key the fields or buttons it may lead to: the first that the page has.
  var keyed = {
    r: ["f-reply"],
    n: ["f-note"],
    a: ["f-agency"],
    t: ["f-topic"],
    p: ["f-place"],
    z: ["f-snooze-1", "f-snooze-day"],
    d: ["f-join", "f-merge-1", "state-trung_lap-target"],
    m: ["f-ask-1", "state-cho_bo_sung-words"],
    x: ["f-decline-1", "state-khong_tiep_nhan-words"],
    b: ["bulk-receive", "bulk-snooze"]
  };

  function isOff() {
    try {
      return window.localStorage.getItem(OFF) === "1";
    } catch (error) {
      return false;
    }
  }

  function setOff(off) {
    try {
      window.localStorage.setItem(OFF, off ? "1" : "0");
    } catch (error) {
      // a browser that keeps nothing keeps no wish
    }
  }

  function isTyping(target) {
    return target.isContentEditable || target.matches("input:not([type=checkbox], [type=radio]), textarea, select");
  }

  // "d" and "đ" are one letter here, and no accent counts.
  function plain(words) {
    return words.normalize("NFD").replace(/[\u0300-\u036f]/g, "").replace(/[đĐ]/g, "d").toLowerCase();
  }

  function reach(id) {
    var field = document.getElementById(id);
    if (!field) {
      return false;
    }
    for (var parent = field.closest("details"); parent; parent = parent.parentElement.closest("details")) {
      parent.open = true;
    }
    field.focus();
    field.scrollIntoView({ block: "center" });
    return true;
  }

  // ---- the list ----

  function rows() {
    return Array.from(document.querySelectorAll("#list .row .code"));
  }

  // The link of the row in which this stands.
  function rowOf(element) {
    var row = element.closest("#list .row");
    return row && row.querySelector(".code");
  }

  // With Shift all from the last that was ticked to this one, as with the mouse.
  function pick(withShift) {
    var code = rowOf(document.activeElement);
    var tick = code && code.closest(".row").querySelector(".pick input");
    if (tick) {
      tick.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, shiftKey: withShift }));
    }
    return Boolean(tick);
  }

  function step(by) {
    var beside = document.getElementById(by > 0 ? "ticket-after" : "ticket-before");
    if (document.querySelector(".desk")) {
      if (beside) {
        beside.click();
      }
      return;
    }
    var all = rows();
    var at = all.indexOf(rowOf(document.activeElement));
    var next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by];
    if (next) {
      next.focus();
      next.scrollIntoView({ block: "nearest" });
    }
  }

  // ---- the command bar ----

  function commands() {
    var seen = new Set();
    var found = [];
    var where = ".places a, .views a, .steps a, main summary, main button, main a.button";
    document.querySelectorAll(where).forEach(function (one) {
      var words = (one.textContent || "").replace(/\s+/g, " ").trim();
      if (!words || one.disabled || one.closest("dialog") || seen.has(words)) {
        return;
      }
      seen.add(words);
      found.push({ words: words, plain: plain(words), element: one });
    });
    return found;
  }

  function fits(command, wanted) {
    return wanted.split(/\s+/).every(function (part) {
      return command.plain.indexOf(part) >= 0;
    });
  }

  function run(command) {
    var one = command.element;
    if (one.matches("summary")) {
      one.parentElement.open = true;
      var field = one.parentElement.querySelector("select, textarea, input:not([type=hidden]), button");
      (field || one).focus();
    } else if (one.matches("button")) {
      // Nothing is done unseen: the button is shown, Enter presses it.
      for (var parent = one.closest("details"); parent; parent = parent.parentElement.closest("details")) {
        parent.open = true;
      }
      one.focus();
      one.scrollIntoView({ block: "center" });
    } else {
      one.click();
    }
  }

  function openBar() {
    var bar = document.getElementById("command-bar");
    var input = document.getElementById("command-words");
    var list = document.getElementById("command-list");
    var all = commands();
    var shown = [];
    var at = 0;

    function draw() {
      var wanted = plain(input.value.trim());
      shown = all.filter(function (one) { return !wanted || fits(one, wanted); }).slice(0, 12);
      at = Math.min(at, Math.max(0, shown.length - 1));
      list.textContent = "";
      shown.forEach(function (one, index) {
        var item = document.createElement("li");
        item.id = "command-" + index;
        item.setAttribute("role", "option");
        item.setAttribute("aria-selected", index === at ? "true" : "false");
        item.textContent = one.words;
        item.addEventListener("click", function () { bar.close(); run(one); });
        list.appendChild(item);
      });
      input.setAttribute("aria-activedescendant", shown.length ? "command-" + at : "");
      document.getElementById("command-none").hidden = shown.length > 0;
    }

    input.value = "";
    input.oninput = function () { at = 0; draw(); };
    input.onkeydown = function (event) {
      if (event.isComposing || event.keyCode === 229) {
        return;
      }
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        at = (at + (event.key === "ArrowDown" ? 1 : shown.length - 1)) % Math.max(1, shown.length);
        draw();
      } else if (event.key === "Enter") {
        event.preventDefault();
        if (shown[at]) {
          bar.close();
          run(shown[at]);
        }
      }
    };
    draw();
    bar.showModal();
    input.focus();
  }

  // ---- keys ----

  function press(key, withShift) {
    if (key === "x" && pick(withShift)) {
      return true;
    }
    if (key === "j" || key === "k") {
      step(key === "j" ? 1 : -1);
      return true;
    }
    if (key === "/") {
      var search = document.getElementById("f-q");
      if (search) {
        search.focus();
      } else {
        window.location.href = "/tickets?view=all#f-q";
      }
      return true;
    }
    if (key === "?") {
      document.getElementById("keys-help").showModal();
      return true;
    }
    return Object.prototype.hasOwnProperty.call(keyed, key) && keyed[key].some(reach);
  }

  document.addEventListener("keydown", function (event) {
    // While a Vietnamese input method composes, a letter is a part of a letter.
    if (event.defaultPrevented || event.isComposing || event.keyCode === 229) {
      return;
    }
    if (event.repeat && event.key === "Enter" && !isTyping(event.target)) {
      event.preventDefault(); // held down from the page before: nothing is agreed with unseen
      return;
    }
    if (!document.getElementById("command-bar") || document.querySelector("dialog[open]")) {
      return;
    }
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      openBar();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    if (event.key === "Enter" && event.target.matches("#list .pick input")) {
      event.preventDefault(); // a tick sends nothing: Enter opens the report, as on its code
      event.target.closest(".row").querySelector(".code").click();
      return;
    }
    if (event.key === "Escape" && isTyping(event.target)) {
      event.target.blur();
      return;
    }
    if (isOff() || isTyping(event.target)) {
      return;
    }
    if (event.key === "Enter") {
      var confirm = document.getElementById("confirm-next");
      if (confirm && (event.target === document.body || event.target.id === "main")) {
        event.preventDefault();
        confirm.click();
      }
      return;
    }
    if (press(event.key.toLowerCase(), event.shiftKey)) {
      event.preventDefault();
    }
  });

  document.addEventListener("DOMContentLoaded", function () {
    var help = document.getElementById("keys-help");
    var tick = document.getElementById("f-keys-off");
    if (!help || !tick) {
      return;
    }
    tick.checked = isOff();
    document.documentElement.classList.toggle("keys-off", isOff());
    tick.addEventListener("change", function () {
      setOff(tick.checked);
      document.documentElement.classList.toggle("keys-off", tick.checked);
    });
    var button = document.getElementById("keys-button");
    button.hidden = false;
    button.addEventListener("click", function () { help.showModal(); });
    document.getElementById("keys-close").addEventListener("click", function () { help.close(); });
    if (window.location.hash === "#f-q") {
      reach("f-q");
    }
  });
})();
