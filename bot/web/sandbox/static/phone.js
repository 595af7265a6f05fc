"use strict";
// Polls for new messages and submits forms without leaving the page; everything also works without it.
(function () {
  const phone = document.querySelector(".phone");
  const screen = document.getElementById("man-hinh");
  const talk = document.getElementById("tro-chuyen");
  const empty = document.getElementById("chua-co");
  const notice = document.getElementById("bao");
  let last = Number(phone.dataset.last);
  let asking = null;

  function toEnd() {
    screen.scrollTop = screen.scrollHeight;
  }

  function tell(words, isProblem) {
    notice.textContent = words;
    notice.hidden = !words;
    notice.classList.toggle("problem", isProblem);
  }

  async function fetchNews() {
    const answer = await fetch(phone.dataset.news + "?after=" + last, { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    const news = await answer.json();
    if (!news.count) return;
    const nearEnd = screen.scrollHeight - screen.scrollTop - screen.clientHeight < 120;
    last = news.last;
    talk.insertAdjacentHTML("beforeend", news.html);
    empty.hidden = true;
    if (nearEnd) toEnd();
  }

  // One question at a time, so that no message is shown twice.
  function refresh() {
    asking = (asking || Promise.resolve()).then(fetchNews).catch(function () {});
    return asking;
  }

  async function submit(event) {
    const form = event.target;
    if (!form.matches("[data-live]")) return;
    event.preventDefault();
    const button = event.submitter;
    const body = new FormData(form, button);
    if (button) button.disabled = true;
    try {
      const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(String(answer.status));
      const result = await answer.json();
      tell(result.notice, !result.ok);
      if (result.ok && form.matches("[data-clear]")) form.reset();
      const more = form.closest(".more");
      if (result.ok && more) more.open = false;
      await refresh();
      toEnd();
    } catch {
      tell("Chưa gửi được. Hãy kiểm tra kết nối rồi bấm gửi lại.", true);
    } finally {
      if (button) button.disabled = false;
    }
  }

  document.addEventListener("submit", submit);
  document.getElementById("text").addEventListener("keydown", function (event) {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      event.target.form.requestSubmit();
    }
  });
  talk.addEventListener("load", toEnd, { capture: true, once: true });
  toEnd();
  setInterval(function () {
    if (!document.hidden) refresh();
  }, 1000);
})();
