// The table of residues, which follows the selection.

class ResidueTable extends DataTable {
  constructor(place, data, selection) {
    const q = data.table.find((one) => one.key === "q");
    const most = make("input", { type: "number", step: "0.05", placeholder: "Q below", "aria-label": "only residues with Q below", oninput: () => this.refilter() });
    super(place, data.table, {
      noun: "residues",
      placeholder: "Filter: residue, chain, class, verdict",
      label: "filter residues",
      file: "residues.csv",
      first: Math.max(0, data.table.indexOf(q)),
      controls: [most],
      fits: (row) => {
        const limit = parseFloat(most.value), value = q?.values[row] ?? null;
        return !Number.isFinite(limit) || (value !== null && value < limit);
      },
      choose: (row) => selection.choose(row, { source: "table" }),
    });
    selection.listen((row) => this.follow(row));
  }
}
