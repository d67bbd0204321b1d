// The page of a batch: its entries as a table and as points, one of them chosen.

class EntryPlots extends Plots {
  constructor(figures, selection, index) {
    super(figures, selection);
    this.index = index;
  }

  /** Every entry has its place, also those that stand in cells. */
  place(_figure, row) {
    const { resolution, q } = this.index;
    const x = resolution[row] ?? null, y = q[row] ?? null;
    return x === null || y === null ? undefined : { x, y };
  }

  clicked(points, card) {
    const cell = points.find((point) => point.data.type === "heatmap");
    if (cell && points.length === 1) this.index.near(cell.x, cell.y);
    else super.clicked(points, card);
  }
}

class Index {
  async start() {
    this.data = JSON.parse(textOf(await unpack("block-data")));
    const values = (key) => this.data.columns.find((one) => one.key === key)?.values ?? [];
    [this.status, this.step, this.resolution, this.q] = ["status", "step", "resolution", "q"].map(values);
    this.outliers = new Map(this.data.rules.map((rule) => [rule.key, new Set(rule.rows)]));
    this.selection = new Selection();
    this.around = null;
    bindTheme(() => this.plots?.retheme());
    this.startTable();
    this.selection.listen((row) => this.tell(row));
    performance.mark("table");
    if (this.data.figures.length) {
      await runScript("block-plotly");
      this.plots = new EntryPlots(this.data.figures, this.selection, this);
    }
    document.documentElement.dataset.ready = "yes";
  }

  startTable() {
    const option = (value, text) => make("option", { value }, text);
    const { rules, steps } = this.data;
    this.show = make("select", { "aria-label": "which entries", onchange: () => this.refilter() },
      option("all", "All entries"), option("status done", "Done"), option("status failed", "Failed"),
      rules.length ? make("optgroup", { label: "Outliers" }, ...rules.map((rule) => option(`rule ${rule.key}`, rule.title))) : null,
      steps.length ? make("optgroup", { label: "Failed at" }, ...steps.map((one) => option(`step ${one.step}`, one.step))) : null);
    this.cell = make("button", { type: "button", hidden: true, onclick: () => this.near(null) });
    this.table = new DataTable(byId("entry-table"), this.data.columns, {
      noun: "entries",
      placeholder: "Filter: name, message, outlier",
      label: "filter entries",
      file: "entries_shown.csv",
      size: 25,
      controls: [this.show, this.cell],
      fits: (row) => this.fits(row),
      cell: (column, row) => (column.key === "report" && column.values[row] ? this.link(row) : undefined),
      choose: (row) => this.selection.choose(row, { source: "table" }),
    });
    this.selection.listen((row) => this.table.follow(row));
    for (const button of document.querySelectorAll("[data-show]")) {
      button.addEventListener("click", () => {
        this.show.value = button.dataset.show;
        this.refilter();
        byId("entries").scrollIntoView();
      });
    }
  }

  fits(row) {
    const [kind, key] = split(this.show.value);
    if (kind === "status" && this.status[row] !== key) return false;
    if (kind === "step" && this.step[row] !== key) return false;
    if (kind === "rule" && !this.outliers.get(key).has(row)) return false;
    if (!this.around) return true;
    const [width, height] = this.data.cell, slack = 1e-9;
    return this.q[row] !== null && this.resolution[row] !== null
      && Math.abs(this.resolution[row] - this.around.x) <= width / 2 + slack
      && Math.abs(this.q[row] - this.around.y) <= height / 2 + slack;
  }

  refilter() {
    const kind = split(this.show.value);
    // what failed has a message and no numbers
    byId("entry-table").classList.toggle("failures", kind[0] === "step" || kind[1] === "failed");
    this.table.refilter();
  }

  /** Only the entries of a cell of the cloud, or all. */
  near(x, y) {
    this.around = x === null ? null : { x, y };
    this.cell.hidden = x === null;
    if (x !== null) {
      this.cell.textContent = `around ${x.toFixed(2)} Å, Q ${y.toFixed(2)} ✕`;
      byId("entries").scrollIntoView();
    }
    this.refilter();
  }

  /** Link to the report of an entry; its name is never read as anything but a name. */
  link(row) {
    const name = encodeURIComponent(this.data.columns[0].values[row]);
    const open = (event) => event.stopPropagation();
    return make("a", { href: `${this.data.reports}${name}/report.html`, onclick: open }, "open");
  }

  /** All that is known of the chosen entry. */
  tell(row) {
    const place = byId("chosen"), lines = [];
    for (const column of this.data.columns.slice(1)) {
      const value = column.values[row];
      if (value === null || value === "" || column.key === "message") continue;
      const text = this.table.options.cell(column, row) ?? (column.text ? value : shown(value, column.decimals));
      lines.push(make("div", {}, make("dt", { title: column.definition }, column.title), make("dd", {}, text)));
    }
    const message = this.data.columns.find((one) => one.key === "message")?.values[row];
    const notes = this.data.notes[row];
    place.replaceChildren(
      make("h3", {}, this.data.columns[0].values[row]),
      ...(message ? [make("p", { class: "absent" }, message)] : []),
      make("dl", {}, ...lines),
      ...(notes ? [make("p", { class: "caption" }, `Notes: ${notes}`)] : []));
    place.scrollIntoView({ block: "nearest" });
  }
}

/** A kind and its key, which may have spaces. */
const split = (text) => {
  const at = text.indexOf(" ");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
};

const index = new Index();
globalThis.atomsight = index;
index.start().catch((error) => {
  console.error(error);
  byId("entry-table").before(make("p", { class: "absent", role: "alert" },
    `This page cannot be drawn (${error?.message ?? error}); it needs a browser of 2023 or later.`));
});
