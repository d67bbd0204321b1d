// What is known of the chosen residue, with the profile of one of its atoms.

class Chosen {
  constructor(place, data, selection) {
    this.place = place;
    this.data = data;
    selection.listen((row, atom) => this.show(row, atom));
  }

  show(row, atom) {
    const { data } = this;
    const rows = data.scores
      .filter((score) => score.residues && score.residues[row] !== null && score.residues[row] !== "")
      .map((score) => make("div", {},
        make("dt", { title: score.definition }, score.name),
        make("dd", {}, score.labels ? score.residues[row] : `${shown(score.residues[row], score.decimals)} ${score.unit}`)));
    const sentence = data.sentences?.[row];
    this.place.replaceChildren(
      make("h3", {}, data.residues.label[row]),
      sentence ? make("p", {}, sentence) : "",
      make("dl", {}, ...rows));
    this.profiles(row, atom);
  }

  /** A choice of the residue's atoms, and how the map falls off around the chosen one. */
  profiles(row, atom) {
    const { profiles, atoms } = this.data;
    if (!profiles) {
      this.place.append(make("p", { class: "absent" }, `No profiles: ${this.data.noProfiles}.`));
      return;
    }
    const members = this.data.atomsOf(row);
    const qOf = this.data.scores.find((score) => score.key === "q")?.atoms ?? [];
    const choice = make("select", { "aria-label": "atom", onchange: () => draw(members[choice.selectedIndex]) },
      ...members.map((one) => make("option", {}, `${atoms.name[one]}: Q ${shown(qOf[one])}`)));
    const plot = make("div", { class: "plot small" });
    const lowest = members.reduce((best, one) => ((qOf[one] ?? 2) < (qOf[best] ?? 2) ? one : best), members[0]);
    const first = atom ?? lowest;
    choice.selectedIndex = members.indexOf(first);
    this.place.append(make("label", { class: "controls" }, "Profile of atom ", choice), plot,
      make("p", { class: "caption" }, profiles.caption));
    const draw = (one) => {
      this.redraw = () => draw(one);
      const own = profiles.of(one);
      const line = (name, y, extra) => ({ type: "scatter", mode: "lines", name, x: profiles.radius, y, ...extra });
      Plotly.react(plot, [
        line("a well-resolved atom", profiles.reference, { line: { color: "#8a8f98", dash: "dash" } }),
        line("this atom", own, { mode: "lines+markers", line: { color: "#0072B2" }, marker: { size: 5 } }),
      ], themed({
        margin: { l: 48, r: 8, t: 8, b: 38 }, height: 220, legend: { orientation: "h", y: 1.15 },
        xaxis: { title: { text: "Distance from the atom (Å)" } }, yaxis: { title: { text: "Mean map value" } },
      }), { ...PLOT_OPTIONS, displayModeBar: false });
    };
    draw(first);
  }

  retheme() {
    this.redraw?.();
  }
}
