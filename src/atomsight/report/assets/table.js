// The table of residues: sorts, filters, pages, downloads, and follows the selection.

const PAGE_ROWS = 15;

class ResidueTable {
  constructor(place, data, selection) {
    this.data = data;
    this.columns = data.table;
    this.selection = selection;
    this.q = this.columns.find((one) => one.key === "q");
    this.sorted = { column: Math.max(0, this.columns.indexOf(this.q)), down: false };
    this.page = 0;
    this.text = make("input", { type: "search", placeholder: "Filter: residue, chain, class, verdict", "aria-label": "filter residues", oninput: () => this.refilter() });
    this.most = make("input", { type: "number", step: "0.05", placeholder: "Q below", "aria-label": "only residues with Q below", oninput: () => this.refilter() });
    this.count = make("span", { class: "count", "aria-live": "polite" });
    this.head = make("tr");
    this.body = make("tbody");
    const step = (by) => () => this.turn(this.page + by);
    place.append(
      make("div", { class: "controls" }, this.text, this.most,
        make("button", { type: "button", class: "download", onclick: () => this.download() }, "Download CSV"), this.count),
      make("div", { class: "scroll" }, make("table", {}, make("thead", {}, this.head), this.body)),
      make("div", { class: "controls" },
        make("button", { type: "button", onclick: step(-1), "aria-label": "previous rows" }, "‹ Previous"),
        make("button", { type: "button", onclick: step(1), "aria-label": "next rows" }, "Next ›")));
    this.drawHead();
    this.refilter();
    selection.listen((row) => this.follow(row));
  }

  drawHead() {
    this.head.replaceChildren(...this.columns.map((column, i) => {
      const here = i === this.sorted.column;
      return make("th", { scope: "col", class: column.text ? "text" : "number", "aria-sort": here ? (this.sorted.down ? "descending" : "ascending") : "none" },
        make("button", { type: "button", title: column.definition, onclick: () => this.sort(i) },
          column.title, make("span", { "aria-hidden": "true" }, here ? (this.sorted.down ? " ▾" : " ▴") : "")));
    }));
  }

  sort(i) {
    this.sorted = { column: i, down: i === this.sorted.column && !this.sorted.down };
    this.drawHead();
    this.refilter();
  }

  refilter() {
    const words = this.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const most = parseFloat(this.most.value);
    const texts = this.columns.filter((column) => column.text);
    const fits = (row) => {
      const q = this.q?.values[row] ?? null;
      if (Number.isFinite(most) && !(q !== null && q < most)) return false;
      const all = texts.map((column) => column.values[row]).join(" ").toLowerCase();
      return words.every((word) => all.includes(word));
    };
    const { values } = this.columns[this.sorted.column];
    const sign = this.sorted.down ? -1 : 1;
    const order = (a, b) => {
      const left = values[a], right = values[b];
      if (left === null || left === "" || right === null || right === "") {
        // what has no value comes last, whichever way it is sorted
        return (left === null || left === "") - (right === null || right === "") || a - b;
      }
      return (left < right ? -sign : left > right ? sign : 0) || a - b;
    };
    this.rows = this.data.residues.label.map((_, row) => row).filter(fits).sort(order);
    this.turn(0);
  }

  turn(page) {
    const pages = Math.max(1, Math.ceil(this.rows.length / PAGE_ROWS));
    this.page = Math.min(Math.max(0, page), pages - 1);
    const from = this.page * PAGE_ROWS, rows = this.rows.slice(from, from + PAGE_ROWS);
    this.count.textContent = this.rows.length
      ? `${from + 1}–${from + rows.length} of ${this.rows.length} residues` : "no residue fits the filter";
    this.body.replaceChildren(...rows.map((row) => this.line(row)));
    this.highlight();
  }

  line(row) {
    const cells = this.columns.map((column, i) => {
      const value = column.values[row];
      if (i === 0) {
        return make("th", { scope: "row" }, make("button", { type: "button", class: "residue" }, value));
      }
      return make("td", { class: column.text ? "text" : "number" }, column.text ? value : shown(value, column.decimals));
    });
    const choose = () => this.selection.choose(row, { source: "table" });
    return make("tr", { "data-row": row, onclick: choose }, ...cells);
  }

  follow(row) {
    const page = Math.floor(this.rows.indexOf(row) / PAGE_ROWS);
    // lines that stay keep the focus of the keyboard
    if (page >= 0 && page !== this.page) this.turn(page);
    this.highlight();
  }

  highlight() {
    for (const line of this.body.children) {
      line.setAttribute("aria-current", String(Number(line.dataset.row) === this.selection.row));
    }
  }

  download() {
    // a cell that a spreadsheet would run as a formula is kept as text
    const safe = (value) => (typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : value ?? "");
    const cell = (value) => (/[",\n\r]/.test(String(safe(value))) ? `"${String(safe(value)).replaceAll('"', '""')}"` : String(safe(value)));
    const lines = [this.columns.map((column) => cell(column.key)), ...this.rows.map((row) => this.columns.map((column) => cell(column.values[row])))];
    const blob = new Blob([lines.map((line) => line.join(",")).join("\n") + "\n"], { type: "text/csv" });
    const link = make("a", { href: URL.createObjectURL(blob), download: "residues.csv" });
    link.click();
    URL.revokeObjectURL(link.href);
  }
}
