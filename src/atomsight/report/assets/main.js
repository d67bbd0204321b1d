// The page: takes its blocks apart, draws, and binds the controls.

/** What the page was made of, with the few look-ups that all parts need. */
function prepare(data) {
  const count = data.residues.label.length;
  const lists = Array.from({ length: count }, () => []);
  data.atoms.residue.forEach((row, atom) => lists[row].push(atom));
  data.atomsOf = (row) => lists[row];
  for (const score of data.scores) {
    if (!score.residues) score.residues = null;
  }
  const { profiles } = data;
  if (profiles) {
    const bytes = Uint8Array.from(atob(profiles.bytes), (letter) => letter.charCodeAt(0));
    const size = profiles.radius.length, step = (profiles.high - profiles.low) / 254;
    profiles.of = (atom) => Array.from(bytes.subarray(atom * size, (atom + 1) * size),
      (byte) => (byte === 255 ? null : profiles.low + byte * step));
  }
  return data;
}

class Page {
  async start() {
    this.data = prepare(JSON.parse(textOf(await unpack("block-data"))));
    this.selection = new Selection();
    if (byId("residue-table")) this.table = new ResidueTable(byId("residue-table"), this.data, this.selection);
    bindTheme(() => this.retheme());
    performance.mark("table");
    // what is seen first is drawn first; the surface takes the longest
    const drawn = await this.startView();
    await this.startPlots();
    if (drawn) await this.startMap();
    document.documentElement.dataset.ready = "yes";
  }

  async startPlots() {
    if (!byId("block-plotly")) return;
    await runScript("block-plotly");
    this.plots = new Plots(this.data.figures, this.selection);
    this.chosen = new Chosen(byId("chosen"), this.data, this.selection);
    performance.mark("plots");
  }

  /** Draw the model; false where this browser cannot. */
  async startView() {
    byId("score").replaceChildren(...this.data.scores.map((score) => make("option", {}, score.name)));
    this.listPalettes();
    try {
      if (!hasWebGL()) throw new Error("this browser has no WebGL, or it is switched off");
      await runScript("block-molstar");
      const style = make("style");
      style.textContent = textOf(await unpack("block-molstar-style"));
      document.head.prepend(style);
      const cif = textOf(await unpack("block-model"));
      this.view = await View.create(byId("view"), this.data, cif, this.selection, this.colours());
      this.bindView();
      performance.mark("model");
      return true;
    } catch (error) {
      warn(`There is no 3-D view here: ${error?.message ?? error}. All else works.`);
      byId("view").hidden = byId("view-controls").hidden = true;
      return false;
    }
  }

  async startMap() {
    if (!this.data.map) return;
    await this.view.addMap(await unpack("block-map"), this.level());
    performance.mark("map");
  }

  get score() {
    return this.data.scores[byId("score").selectedIndex];
  }

  /** Tell what the colours mean, and give those of atoms and residues. */
  colours() {
    const { score } = this, palette = byId("palette").value;
    byId("key").replaceChildren(colourKey(score, palette));
    byId("score-definition").textContent = score.definition;
    const colour = colouring(score, palette);
    const { residue } = this.data.atoms;
    return {
      atom: (i) => colour(score.atoms ? score.atoms[i] : score.residues[residue[i]]),
      residue: (i) => colour(score.residues ? score.residues[i] : null),
    };
  }

  recolour() {
    return this.view.colour(this.colours());
  }

  level() {
    return Number(byId("contour").value);
  }

  listPalettes() {
    byId("palette").replaceChildren(
      ...Object.keys(this.score.palettes).map((name) => make("option", { value: name }, name)));
  }

  bindView() {
    byId("score").addEventListener("change", () => { this.listPalettes(); this.recolour(); });
    byId("palette").addEventListener("change", () => this.recolour());
    byId("style").addEventListener("change", () => this.view.style(byId("style").value));
    byId("reset").addEventListener("click", () => this.view.reset());
    this.bindMap();
  }

  bindMap() {
    const { map } = this.data;
    if (!map) return;
    const slider = byId("contour");
    const tell = () => {
      const value = map.offset + map.scale * this.level();
      byId("contour-value").textContent = `${value.toPrecision(3)} (${((value - map.mean) / map.sd).toFixed(2)} σ)`;
    };
    tell();
    let waiting = null;
    slider.addEventListener("input", () => {
      tell();
      clearTimeout(waiting);
      waiting = setTimeout(() => this.view.contour(this.level()), 80);
    });
    byId("show-map").addEventListener("change", () => this.view.showMap(byId("show-map").checked));
  }

  retheme() {
    this.plots?.retheme();
    this.chosen?.retheme();
    this.view?.background(isDark() ? "#14171c" : "#ffffff");
  }
}

const hasWebGL = () => {
  const canvas = document.createElement("canvas");
  return Boolean(canvas.getContext("webgl2") ?? canvas.getContext("webgl"));
};

/** A sentence above the view. */
const warn = (text) => byId("view").before(make("p", { class: "absent", role: "alert" }, text));

const page = new Page();
globalThis.atomsight = page;
page.start().catch((error) => {
  console.error(error);
  warn(`This page cannot be drawn (${error?.message ?? error}); it needs a browser of 2023 or later.`);
});
