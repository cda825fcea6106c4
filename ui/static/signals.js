// What only the browser can do: the title, a soft sound, words for a screen reader, and keys
// Streamlit does not bind.
// Streamlit calls this anew on every change; the listeners stand once and ask the latest call.
export default function ({ data }) {
  const state = (window.secondchairSignals ??= begin({ heard: new Set(), owed: false }));
  const unheard = data.alerts.some((id) => !state.heard.has(id));
  state.heard = new Set(data.alerts);
  state.alerts = data.alerts.length;
  state.pages = data.pages;
  state.letters = data.letters;
  if (unheard) {
    chime(state);
    announce(state, data.spoken);
  }
  title(state.alerts);
}

// Streamlit drops a click that comes together with the editor's last report; that goes first.
const SETTLED_MS = 150;

function help() {
  document.querySelector(".st-key-help_open button")?.click();
}

function begin(state) {
  setInterval(() => title(state.alerts), 1000);
  document.addEventListener("keydown", (event) => onKey(event, state));
  window.addEventListener("keydown", decide, true);
  for (const touch of ["pointerdown", "keydown"])
    window.addEventListener(touch, () => state.owed && chime(state), true);
  return state;
}

function onKey(event, state) {
  if (event.isComposing || typing(event) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key.length === 1 && !state.letters) return;
  const page = state.pages[Number(event.key) - 1];
  if (event.key === "?") setTimeout(help, SETTLED_MS);
  else if (page !== undefined) link(page, event.key === "1")?.click();
  else if (event.key === "e") edit(event);
  else if (event.key === "f") pick(event, "[class*=st-key-reasons_] button");
  else if (event.key === "End") pick(event, ".transcript");
}

// Ctrl+Enter decides. On a focused button it would press that one instead, so we choose.
function decide(event) {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  const wanted = document.querySelector(".st-key-question_go button, .st-key-send_next button");
  if (!wanted || wanted.disabled || !event.target.closest?.("button")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  wanted.click();
}

function typing(event) {
  return event.composedPath().some(
    (node) => ["INPUT", "TEXTAREA", "SELECT"].includes(node.tagName) || node.isContentEditable,
  );
}

function title(alerts) {
  const bare = document.title.replace(/^\(\d+\) ⚠ /, "");
  const wanted = alerts ? `(${alerts}) ⚠ ${bare}` : bare;
  if (document.title !== wanted) document.title = wanted;
}

// The first page lives at the bare address, the others under their names.
function link(page, first) {
  return [...document.querySelectorAll("nav a")].find((a) => {
    const path = new URL(a.href).pathname;
    return path.endsWith(`/${page}`) || (first && path.endsWith("/"));
  });
}

function edit(event) {
  event.preventDefault();
  window.dispatchEvent(new CustomEvent("secondchair:edit"));
}

function pick(event, selector) {
  const found = document.querySelector(selector);
  if (!found) return;
  event.preventDefault();
  found.focus();
  if (event.key === "End") found.scrollTop = found.scrollHeight;
}

// A screen reader speaks what changes in a region that stood there before; the same words again are
// no change, so they go first.
function announce(state, words) {
  state.region ??= Object.assign(document.createElement("div"), { className: "signals-spoken" });
  state.region.setAttribute("role", "alert");
  state.region.style.cssText =
    "position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%)";
  if (!state.region.isConnected) document.body.append(state.region);
  state.region.textContent = "";
  setTimeout(() => (state.region.textContent = words), SETTLED_MS);
}

// A browser that has not been touched yet stays silent; then the title tells, and the first touch
// brings the sound, if somebody still waits.
function chime(state) {
  try {
    state.audio ??= new AudioContext();
    state.owed = true;
    if (state.audio.state === "running") play(state);
    else state.audio.resume().then(() => play(state), () => {});
  } catch {
    state.owed = false;
  }
}

function play(state) {
  if (!state.owed) return;
  state.owed = false;
  if (!state.alerts) return;
  const audio = state.audio;
  const tone = audio.createOscillator();
  const volume = audio.createGain();
  tone.frequency.setValueAtTime(660, audio.currentTime);
  tone.frequency.setValueAtTime(880, audio.currentTime + 0.18);
  volume.gain.setValueAtTime(0.0001, audio.currentTime);
  volume.gain.exponentialRampToValueAtTime(0.15, audio.currentTime + 0.03);
  volume.gain.exponentialRampToValueAtTime(0.0001, audio.currentTime + 0.6);
  tone.connect(volume).connect(audio.destination);
  tone.start();
  tone.stop(audio.currentTime + 0.65);
}
