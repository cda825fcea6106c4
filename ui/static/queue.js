// The queue: rows are kept and moved, never rebuilt, so focus and scroll survive every update.
export default function ({ parentElement, data, setTriggerValue }) {
  let list = parentElement.querySelector("ul");
  if (!list) {
    list = document.createElement("ul");
    parentElement.append(list);
    list.addEventListener("keydown", walk);
  }
  list.setAttribute("aria-label", data.label);
  list.waits = data.waits;
  list.open = (id) => setTriggerValue("open", id);
  const old = new Map([...list.children].map((item) => [item.dataset.id, item]));
  data.rows.forEach((row, place) => {
    const item = old.get(row.id) ?? make(list, row.id);
    old.delete(row.id);
    fill(item, row);
    if (list.children[place] !== item) list.insertBefore(item, list.children[place] ?? null);
  });
  old.forEach((item) => item.remove());
  tick(list);
  clearInterval(list.clock);
  list.clock = setInterval(() => tick(list), 1000);
  return () => clearInterval(list.clock);
}

function make(list, id) {
  const item = document.createElement("li");
  item.dataset.id = id;
  const button = document.createElement("button");
  button.type = "button";
  for (const name of ["risk", "kind", "step", "meta", "who", "wait"]) {
    const cell = document.createElement("span");
    cell.className = name;
    button.append(cell);
  }
  button.addEventListener("click", () => list.open(id));
  item.append(button);
  return item;
}

function fill(item, row) {
  item.className = `level-${row.level} ${row.mine ? "mine" : ""} ${row.taken ? "taken" : ""}`;
  item.dataset.since = row.since;
  for (const name of ["risk", "kind", "step", "meta", "who"]) {
    const cell = item.querySelector(`.${name}`);
    if (cell.textContent !== row[name]) cell.textContent = row[name];
  }
  item.querySelector(".kind").dataset.kind = row.kind_code;
}

function tick(list) {
  for (const item of list.children) {
    const seconds = Math.max(0, Math.round((Date.now() - Number(item.dataset.since)) / 1000));
    const cell = item.querySelector(".wait");
    const text = told(seconds, list.waits);
    if (cell.textContent !== text) cell.textContent = text;
    cell.classList.toggle("long", seconds >= 300);
  }
}

function told(seconds, waits) {
  const minutes = Math.floor(seconds / 60);
  if (seconds < 60) return waits.s.replace("{n}", seconds);
  if (minutes < 60) return waits.min.replace("{n}", minutes);
  return waits.h.replace("{h}", Math.floor(minutes / 60)).replace("{n}", minutes % 60);
}

function walk(event) {
  const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
  if (!step) return;
  const buttons = [...event.currentTarget.querySelectorAll("button")];
  const here = buttons.findIndex((button) => button.matches(":focus"));
  const next = buttons[Math.min(buttons.length - 1, Math.max(0, here + step))];
  next?.focus();
  event.preventDefault();
}
