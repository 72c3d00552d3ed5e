// The warning before a log-in ends (FDS: five minutes before). Without script the page tells the time in plain words.
//
// The words are the page's own, so that this file speaks no language.

const box = document.getElementById("bb-session");
const told = box.querySelector("p");
const WARN_SECONDS = 5 * 60;
// How far the server's clock is ahead of ours, so that a phone whose clock is wrong is warned in time too.
const ahead = Date.parse(box.dataset.ends) - Number(box.dataset.left) * 1000 - Date.now();
let timers = [];

function wait(left) {
  timers.forEach(clearTimeout);
  box.hidden = true;
  told.textContent = "";
  timers = [setTimeout(warn, Math.max(0, left - WARN_SECONDS) * 1000), setTimeout(out, left * 1000)];
}

function warn() {
  box.hidden = false;
  told.textContent = box.querySelector("template").content.textContent;
}

function out() {
  box.hidden = false;
  box.querySelector("button").hidden = true;
  told.textContent = box.dataset.out;
}

async function stay() {
  try {
    const answer = await fetch(box.dataset.at, { credentials: "same-origin", cache: "no-store" });
    if (!answer.ok) {
      out();
      return;
    }
    wait((Date.parse((await answer.json()).idle_at) - ahead - Date.now()) / 1000);
  } catch {
    // No answer: the warning stands, and the button can be pressed again.
  }
}

box.querySelector("button").addEventListener("click", stay);
wait(Number(box.dataset.left));
