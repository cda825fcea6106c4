// A text box that loses nothing: the tab keeps what the server has not confirmed yet.
const IDLE_MS = 300;
const LONGEST_MS = 1500;

export default function ({ parentElement, data, setStateValue, setTriggerValue }) {
  const fresh = !parentElement.querySelector("textarea");
  if (fresh) build(parentElement);
  const box = parentElement.querySelector("textarea");
  const memory = `secondchair.unsent.${data.slot}`;
  const live = (box.live ??= { first: 0, timer: 0, sent: 0 });

  const report = () => {
    clearTimeout(live.timer);
    live.timer = 0;
    live.first = 0;
    if (live.reported !== box.value) {
      live.reported = box.value;
      setStateValue("text", box.value);
    }
  };
  const count = () => {
    const note = parentElement.querySelector(".count");
    const length = [...box.value].length;
    note.textContent = `${length} / ${data.limit}`;
    note.classList.toggle("over", length > data.limit);
  };
  const keep = () => sessionStorage.setItem(memory, box.value);
  const forget = () => sessionStorage.removeItem(memory);

  box.placeholder = data.placeholder;
  box.setAttribute("aria-label", data.label);
  box.readOnly = data.disabled;
  if (fresh) {
    // What was sent as the page left is no longer to be sent.
    if (data.said && sessionStorage.getItem(memory)?.trim() === data.said.trim()) forget();
    // Where words came back below it, ours has what the tab has.
    if (data.value.startsWith(`${sessionStorage.getItem(memory)}\n\n`)) forget();
    const kept = sessionStorage.getItem(memory);
    live.revision = data.revision;
    live.slot = data.slot;
    box.value = kept ?? data.value;
    live.reported = data.value;
    if (kept !== null && kept !== data.value) setTimeout(report, 0);
  } else if (live.revision !== data.revision || live.slot !== data.slot) {
    // What was typed since the last report stays; where ours only adds to that, ours comes after it.
    const typed = live.slot === data.slot && box.value !== live.reported;
    const adds = live.reported.trim() && data.value.startsWith(live.reported);
    live.revision = data.revision;
    live.slot = data.slot;
    clearTimeout(live.timer);
    if (!typed) box.value = data.value;
    else if (adds) box.value += data.value.slice(live.reported.length);
    live.reported = data.value;
    if (typed) live.timer = setTimeout(report, IDLE_MS);
    forget();
  }
  // Only what the server is known to have is its to keep; of anything else this is the one copy.
  if (data.confirmed && data.value === box.value) forget();
  else keep();
  count();

  box.oninput = () => {
    keep();
    count();
    live.first ||= Date.now();
    clearTimeout(live.timer);
    const wait = Math.max(0, Math.min(IDLE_MS, live.first + LONGEST_MS - Date.now()));
    live.timer = setTimeout(report, wait);
  };
  box.onblur = report;
  box.onkeydown = (event) => {
    // Keys that choose among Chinese characters are the input method's.
    if (event.isComposing) return;
    if (event.key === "Escape") {
      box.blur();
    } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      event.stopPropagation();
      clearTimeout(live.timer);
      live.reported = box.value;
      setTriggerValue("send", { text: box.value, revision: live.revision, turn: (live.sent += 1) });
    }
  };
  const focus = () => {
    box.focus();
    box.setSelectionRange(box.value.length, box.value.length);
  };
  window.removeEventListener("secondchair:edit", live.focus);
  live.focus = focus;
  window.addEventListener("secondchair:edit", focus);
  return () => window.removeEventListener("secondchair:edit", live.focus);
}

function build(root) {
  const frame = document.createElement("div");
  frame.className = "frame";
  const box = document.createElement("textarea");
  box.rows = 4;
  box.spellcheck = true;
  const note = document.createElement("div");
  note.className = "count";
  frame.append(box, note);
  root.append(frame);
}
