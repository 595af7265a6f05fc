// Counts down how long what was sent can still be taken back. The page works without this file.
(function () {
  "use strict";

  function countDown(form) {
    var words = form.querySelector(".undo-words");
    var end = Date.now() + Number(form.dataset.left) * 1000;
    var timer = window.setInterval(function () {
      var left = Math.ceil((end - Date.now()) / 1000);
      if (left > 0) {
        words.textContent = words.textContent.replace(/\d+/, left);
        return;
      }
      window.clearInterval(timer);
      words.textContent = form.dataset.over;
      form.querySelector("button").remove();
    }, 250);
  }

  document.querySelectorAll("form.undo[data-left]").forEach(countDown);
})();
