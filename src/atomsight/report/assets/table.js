// A table that sorts, filters, pages and downloads, whatever its rows are.

class DataTable {
  /**
   * `noun`: of its rows; `placeholder` and `label` of the words that filter; `file`: name of the download;
   * `size`: rows of a page; `first`: column that is sorted at first; `controls`: more of them beside the words;
   * `fits(row)`: whether these let a row through; `choose(row)`: a row was clicked; `cell(column, row)`: content of
   * a cell that is more than its value.
   */
  constructor(place, columns, options) {
    this.columns = columns;
    this.options = { size: 15, first: 0, controls: [], fits: () => true, cell: () => undefined, ...options };
    this.texts = columns.filter((column) => column.text);
    this.every = columns[0].values.map((_, row) => row);
    this.sorted = { column: this.options.first, down: false };
    this.page = 0;
    this.chosen = null;
    this.text = make("input", { type: "search", placeholder: options.placeholder, "aria-label": options.label, oninput: () => this.refilter() });
    this.count = make("span", { class: "count", "aria-live": "polite" });
    this.head = make("tr");
    this.body = make("tbody");
    const step = (by) => () => this.turn(this.page + by);
    place.append(
      make("div", { class: "controls filters" }, this.text, ...this.options.controls,
        make("button", { type: "button", class: "download", onclick: () => this.download() }, "Download CSV"), this.count),
      make("div", { class: "scroll" }, make("table", {}, make("thead", {}, this.head), this.body)),
      make("div", { class: "controls" },
        make("button", { type: "button", onclick: step(-1), "aria-label": "previous rows" }, "‹ Previous"),
        make("button", { type: "button", onclick: step(1), "aria-label": "next rows" }, "Next ›")));
    this.drawHead();
    this.refilter();
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
    const fits = (row) => {
      if (!this.options.fits(row)) return false;
      if (!words.length) return true;
      const all = this.texts.map((column) => column.values[row]).join(" ").toLowerCase();
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
    this.rows = this.every.filter(fits).sort(order);
    this.turn(0);
  }

  turn(page) {
    const { size, noun } = this.options, count = this.rows.length;
    const pages = Math.max(1, Math.ceil(count / size));
    this.page = Math.min(Math.max(0, page), pages - 1);
    const from = this.page * size, rows = this.rows.slice(from, from + size);
    this.count.textContent = count ? `${from + 1}–${from + rows.length} of ${count} ${noun}` : `no ${noun} fit the filter`;
    this.body.replaceChildren(...rows.map((row) => this.line(row)));
    this.highlight();
  }

  line(row) {
    const cells = this.columns.map((column, i) => {
      const value = column.values[row];
      if (i === 0) {
        return make("th", { scope: "row" }, make("button", { type: "button", class: "residue" }, value));
      }
      const kind = column.text ? `text ${column.kind ?? ""}`.trim() : "number";
      return make("td", { class: kind }, this.options.cell(column, row) ?? (column.text ? value : shown(value, column.decimals)));
    });
    return make("tr", { "data-row": row, onclick: () => this.options.choose(row) }, ...cells);
  }

  /** Mark a row, and turn to it. */
  follow(row) {
    this.chosen = row;
    const page = Math.floor(this.rows.indexOf(row) / this.options.size);
    // lines that stay keep the focus of the keyboard
    if (page >= 0 && page !== this.page) this.turn(page);
    this.highlight();
  }

  highlight() {
    for (const line of this.body.children) {
      line.setAttribute("aria-current", String(Number(line.dataset.row) === this.chosen));
    }
  }

  download() {
    // a cell that a spreadsheet would run as a formula is kept as text
    const safe = (value) => (typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : value ?? "");
    const cell = (value) => (/[",\n\r]/.test(String(safe(value))) ? `"${String(safe(value)).replaceAll('"', '""')}"` : String(safe(value)));
    const lines = [this.columns.map((column) => cell(column.key)), ...this.rows.map((row) => this.columns.map((column) => cell(column.values[row])))];
    const blob = new Blob([lines.map((line) => line.join(",")).join("\n") + "\n"], { type: "text/csv" });
    const link = make("a", { href: URL.createObjectURL(blob), download: this.options.file });
    link.click();
    URL.revokeObjectURL(link.href);
  }
}
