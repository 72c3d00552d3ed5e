// The button that leaves at once: what this device was asked to remember goes with it.

import { forget } from "/static/borgerbro/seen.mjs";

document.querySelector('form[action="/leave/citizen"]').addEventListener("submit", forget);
