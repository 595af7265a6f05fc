// Ready words are put into the field below them, to be edited there. Without this file they are sent as ticked.
(function () {
  "use strict";

  document.querySelectorAll("fieldset.ready").forEach(function (ready) {
    var words = ready.closest("form").querySelector("textarea");
    var between = ready.dataset.between;

    function put(tick) {
      if (tick.checked && words.value.indexOf(tick.dataset.words) < 0) {
        words.value = words.value ? words.value + between + tick.dataset.words : tick.dataset.words;
      } else if (!tick.checked) {
        words.value = words.value
          .replace(between + tick.dataset.words, "")
          .replace(tick.dataset.words + between, "")
          .replace(tick.dataset.words, "");
      }
    }

    ready.querySelectorAll("input").forEach(function (tick) {
      tick.removeAttribute("name"); // the words say it now
      if (tick.checked) {
        put(tick);
      }
      tick.addEventListener("change", function () {
        put(tick);
        words.dispatchEvent(new Event("input", { bubbles: true }));
      });
    });
  });
})();
