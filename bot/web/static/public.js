// Citizens' pages work without this. It keeps what was typed, waits for the network, asks the phone where it is,
// and brings new answers in.
"use strict";

const form = document.querySelector("form[data-draft]");
const text = form && form.elements.namedItem("text");
const talk = document.getElementById("talk");
const key = form && "haichieu:" + form.dataset.draft;

function store(act) {
  try { return act(window.localStorage); } catch { return null; }
}

// What was sent is forgotten once the page of the talk has been reached without a problem.
if (talk && !document.getElementById("problem")) {
  store((s) => Object.keys(s).filter((k) => k.startsWith("haichieu:") && k.endsWith(":sent")).forEach((k) => {
    s.removeItem(k);
    s.removeItem(k.slice(0, -5));
  }));
}

if (text) {
  const kept = store((s) => s.getItem(key));
  if (kept && !text.value) text.value = kept;
  text.addEventListener("input", () => store((s) => s.setItem(key, text.value)));
}

if (form) {
  let waits = false;
  form.addEventListener("submit", (event) => {
    const button = form.querySelector("button[type=submit]");
    if (navigator.onLine === false) {
      event.preventDefault();
      waits = true;
      document.getElementById("offline").hidden = false;
      return;
    }
    store((s) => s.setItem(key + ":sent", "1"));
    setTimeout(() => { button.disabled = true; }, 0);
    setTimeout(() => { button.disabled = false; }, 15000);
  });
  window.addEventListener("pageshow", () => { form.querySelector("button[type=submit]").disabled = false; });
  window.addEventListener("online", () => {
    document.getElementById("offline").hidden = true;
    if (waits) form.requestSubmit();
    waits = false;
  });
  window.addEventListener("pagehide", () => { if (waits && text) store((s) => s.setItem(key, text.value)); });
}

const locate = document.getElementById("locate");
if (locate && "geolocation" in navigator) {
  document.getElementById("where").hidden = false;
  const told = document.getElementById("located");
  locate.addEventListener("click", () => {
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        form.elements.namedItem("latitude").value = coords.latitude.toFixed(6);
        form.elements.namedItem("longitude").value = coords.longitude.toFixed(6);
        told.textContent = told.dataset.done;
      },
      () => { told.textContent = told.dataset.failed; },
      { enableHighAccuracy: true, timeout: 15000, maximumAge: 60000 },
    );
  });
}

// New answers: often while something is being written down, seldom afterwards.
async function look() {
  if (!document.hidden && navigator.onLine !== false) {
    try {
      const answer = await fetch(talk.dataset.refresh, { headers: { "HX-Request": "true", "HX-Target": "talk" } });
      const html = answer.ok ? await answer.text() : "";
      if (html && said(new DOMParser().parseFromString(html, "text/html")) !== said(talk)) talk.innerHTML = html;
    } catch { /* the next look will do */ }
  }
  setTimeout(look, talk.querySelector("[data-waiting]") ? 1500 : 6000);
}

function said(part) {
  return (part.querySelector("ol") || part).textContent;
}

if (talk) setTimeout(look, 1500);
