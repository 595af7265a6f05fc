// Ticking many reports: how many, a range with Shift, all of the page; ticks outlive a refresh. Deeds are buttons of a form.
(function () {
  "use strict";

  var bar = document.getElementById("bulk");
  if (!bar) {
    return;
  }
  var ticked = new Set();
  var last = null;

  function picks() {
    return Array.from(document.querySelectorAll("#list .pick input"));
  }

  function draw() {
    ticked = new Set(picks().filter(function (one) { return one.checked; }).map(function (one) { return one.value; }));
    var count = document.getElementById("bulk-count");
    count.textContent = ticked.size ? "· " + count.dataset.words + " " + ticked.size : "";
    bar.classList.toggle("is-active", ticked.size > 0);
    if (ticked.size && window.matchMedia("(min-width: 60rem)").matches) {
      bar.querySelector("details").open = true;
    }
  }

  function setAll(on) {
    picks().forEach(function (one) { one.checked = on; });
    last = null;
    draw();
  }

  document.addEventListener("click", function (event) {
    var one = event.target;
    if (!one.matches || !one.matches("#list .pick input")) {
      return;
    }
    var all = picks();
    var from = last === null ? -1 : all.findIndex(function (other) { return other.value === last; });
    var to = all.indexOf(one);
    if (event.shiftKey && from >= 0) {
      all.slice(Math.min(from, to), Math.max(from, to) + 1).forEach(function (other) { other.checked = one.checked; });
    }
    last = one.value;
    draw();
  });

  document.addEventListener("htmx:afterSwap", function () {
    picks().forEach(function (one) { one.checked = one.checked || ticked.has(one.value); });
    draw();
  });

  ["bulk-all", "bulk-none"].forEach(function (id) {
    var button = document.getElementById(id);
    button.hidden = false;
    button.addEventListener("click", function () { setAll(id === "bulk-all"); });
  });
  window.addEventListener("pageshow", draw); // the browser may bring ticks back
  draw();
})();
