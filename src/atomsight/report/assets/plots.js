// The plots: drawn when they come near the screen, coloured for the theme, linked to the selection.

class Plots {
  constructor(figures, selection) {
    this.selection = selection;
    this.cards = [];
    this.observer = new IntersectionObserver(
      (entries) => entries.filter((one) => one.isIntersecting).forEach((one) => this.draw(one.target.card)),
      { rootMargin: "300px" });
    const groups = new Map();
    for (const figure of figures) {
      const key = figure.group || figure.key;
      if (!groups.has(key)) groups.set(key, []);
      groups.get(key).push(figure);
    }
    for (const [key, members] of groups) {
      const place = document.querySelector(`[data-figure="${CSS.escape(key)}"]`);
      if (place) this.cards.push(this.card(place, members));
    }
    selection.listen((row) => this.cards.forEach((card) => this.follow(card, row)));
    addEventListener("beforeprint", () => this.cards.forEach((card) => this.draw(card)));
  }

  card(place, members) {
    const plot = make("div", { class: "plot" });
    plot.style.minHeight = `${members[0].layout.height}px`;
    const card = { plot, members, current: 0, drawn: false, caption: make("p", { class: "caption" }) };
    if (members.length > 1) {
      const choice = make("select", { "aria-label": "which one", onchange: () => this.turn(card, choice.selectedIndex) },
        ...members.map((one) => make("option", {}, one.title)));
      const step = (by) => () => this.turn(card, (card.current + by + members.length) % members.length);
      place.append(make("div", { class: "controls step" },
        make("button", { type: "button", "aria-label": "previous", onclick: step(-1) }, "‹"), choice,
        make("button", { type: "button", "aria-label": "next", onclick: step(1) }, "›")));
      card.choice = choice;
    } else {
      place.append(make("h3", {}, members[0].title));
    }
    place.append(plot, card.caption);
    plot.card = card;
    this.observer.observe(plot);
    return card;
  }

  turn(card, index) {
    card.current = index;
    card.choice.selectedIndex = index;
    if (!card.drawn) return;
    card.drawn = false;
    this.draw(card);
  }

  draw(card) {
    if (card.drawn) return;
    card.drawn = true;
    const figure = card.members[card.current];
    card.caption.textContent = figure.caption;
    Plotly.react(card.plot, figure.data, this.layout(figure), PLOT_OPTIONS);
    if (!card.listening) {
      card.listening = true;
      card.plot.on("plotly_click", ({ points }) => this.clicked(points, card));
    }
    this.mark(card);
  }

  clicked(points, card) {
    const row = points.map((point) => rowOf(point.customdata)).find((one) => one >= 0);
    if (row !== undefined) this.selection.choose(row, { source: card });
  }

  layout(figure) {
    return themed({ ...figure.layout, shapes: [...(figure.layout.shapes ?? [])] });
  }

  /** Where a row stands in a figure: its x, and its line of a strip or its y; or undefined. */
  place(figure, row) {
    for (const part of figure.data) {
      if (!part.customdata) continue;
      if (part.type === "heatmap") {
        for (let i = 0; i < part.customdata.length; i++) {
          const j = part.customdata[i].findIndex((one) => rowOf(one) === row);
          if (j >= 0) return { x: part.x[j], strip: i };
        }
      } else {
        const i = part.customdata.findIndex((one) => rowOf(one) === row);
        if (i >= 0) return { x: part.x[i] };
      }
    }
    return undefined;
  }

  /** Show the chosen residue, in another plot of the group if need be. */
  follow(card, row) {
    const there = card.members.findIndex((one) => this.place(one, row) !== undefined);
    const here = this.place(card.members[card.current], row) !== undefined;
    if (there >= 0 && !here) this.turn(card, there);
    else this.mark(card);
  }

  /** Mark the chosen residue if this plot has it. */
  mark(card) {
    if (!card.drawn || this.selection.row === null) return;
    const figure = card.members[card.current], { shapes } = this.layout(figure);
    const at = this.place(figure, this.selection.row);
    if (at === undefined) {
      Plotly.relayout(card.plot, { shapes });
      return;
    }
    const across = { type: "line", xref: "x", x0: at.x, x1: at.x, yref: "paper", y0: 0, y1: 1 };
    const around = { type: "rect", xref: "x", x0: at.x - 0.5, x1: at.x + 0.5, yref: "y", y0: at.strip - 0.5, y1: at.strip + 0.5 };
    const ring = { type: "circle", xsizemode: "pixel", ysizemode: "pixel", xanchor: at.x, yanchor: at.y, x0: -9, x1: 9, y0: -9, y1: 9 };
    const mark = at.strip !== undefined ? { ...around, line: { color: inkColour(), width: 2 } }
      : at.y !== undefined ? { ...ring, line: { color: inkColour(), width: 2 } }
        : { ...across, line: { color: inkColour(), width: 1.5, dash: "dot" } };
    Plotly.relayout(card.plot, { shapes: [...shapes, mark] });
  }

  retheme() {
    for (const card of this.cards) {
      if (!card.drawn) continue;
      Plotly.relayout(card.plot, this.layout(card.members[card.current]));
      this.mark(card);
    }
  }
}

const PLOT_OPTIONS = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["lasso2d", "select2d"] };
const rowOf = (custom) => (Array.isArray(custom) ? custom[0] : custom) ?? -1;
const inkColour = () => getComputedStyle(document.documentElement).getPropertyValue("--ink").trim();

/** A layout in the page's colours. */
function themed(layout) {
  const style = getComputedStyle(document.documentElement);
  const ink = style.getPropertyValue("--ink").trim(), grid = style.getPropertyValue("--line").trim();
  const result = {
    ...layout,
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { ...layout.font, color: ink, family: style.getPropertyValue("--font").trim(), size: 12 },
    autosize: true,
  };
  for (const name of Object.keys(layout).filter((one) => /^[xy]axis\d*$/.test(one))) {
    result[name] = { ...layout[name], gridcolor: grid, zerolinecolor: grid, linecolor: grid };
  }
  return result;
}
