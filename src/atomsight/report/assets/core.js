// What all parts of the page share: unpacking, escaping, and one place where selections are told.

const byId = (id) => document.getElementById(id);

/** Bytes of a gzipped block that stands in the page as base64. */
async function unpack(id) {
  const packed = atob(document.getElementById(id).textContent.trim());
  const bytes = Uint8Array.from(packed, (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const textOf = (bytes) => new TextDecoder().decode(bytes);

/** Run a script that stands in the page as a block. */
async function runScript(id) {
  const script = document.createElement("script");
  script.textContent = textOf(await unpack(id));
  document.head.append(script);
}

const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const escaped = (text) => String(text).replace(/[&<>"']/g, (letter) => ESCAPES[letter]);

const shown = (value, decimals = 3) =>
  value === null || value === undefined ? "–" : typeof value === "number" ? value.toFixed(decimals) : value;

/** An element with attributes and children; text is always text. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Which residue is chosen; every part of the page listens and any may choose. */
class Selection {
  constructor() {
    this.row = null;
    this.atom = null;
    this.listeners = [];
  }

  listen(listener) {
    this.listeners.push(listener);
  }

  /** Choose a residue, or one of its atoms; `source` is the part that chose and knows already. */
  choose(row, { atom = null, source = null } = {}) {
    this.row = row;
    this.atom = atom;
    for (const listener of this.listeners) listener(row, atom, source);
  }
}

const isDark = () => {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
};

/** Light or dark by the button, else as the system is; `retheme` redraws what does not follow by itself. */
function bindTheme(retheme) {
  byId("theme")?.addEventListener("click", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    retheme();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", retheme);
}
