// Colours of scores: the same function colours the model and the key.

const NO_VALUE = "#9a9a9a";

const channels = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
const hexOf = (rgb) => "#" + rgb.map((c) => Math.round(c).toString(16).padStart(2, "0")).join("");

/** Function from value to colour of one score in one palette. */
function colouring(score, paletteName) {
  const palette = score.palettes[paletteName] ?? score.palettes[Object.keys(score.palettes)[0]];
  if (score.labels) {
    const colours = new Map(score.labels.map((label, i) => [label, palette[i]]));
    return (value) => colours.get(value) ?? NO_VALUE;
  }
  const stops = palette.map(([at, hex]) => [at, channels(hex)]);
  return (value) => {
    if (value === null || value === undefined) return NO_VALUE;
    let upper = stops.findIndex(([at]) => value <= at);
    if (upper === 0) return hexOf(stops[0][1]);
    if (upper < 0) return hexOf(stops[stops.length - 1][1]);
    const [low, lowRgb] = stops[upper - 1];
    const [high, highRgb] = stops[upper];
    const share = (value - low) / (high - low);
    return hexOf(lowRgb.map((c, i) => c + share * (highRgb[i] - c)));
  };
}

/** The key of a score as an element. */
function colourKey(score, paletteName) {
  const colour = colouring(score, paletteName);
  if (score.labels) {
    const items = score.labels.map((label) =>
      make("li", {}, swatch(colour(label)), document.createTextNode(label)));
    return make("ul", { class: "key-labels" }, ...items, make("li", {}, swatch(NO_VALUE), "no value"));
  }
  const stops = score.palettes[paletteName] ?? Object.values(score.palettes)[0];
  const low = stops[0][0], high = stops[stops.length - 1][0];
  const gradient = stops.map(([at, hex]) => `${hex} ${(100 * (at - low)) / (high - low)}%`).join(", ");
  const bar = make("div", { class: "key-bar" });
  bar.style.background = `linear-gradient(to right, ${gradient})`;
  const ends = make("div", { class: "key-ends" },
    make("span", {}, `${shownEnd(low)}${score.worse === "low" ? " worse" : score.worse === "high" ? " better" : ""}`),
    make("span", {}, score.unit || ""),
    make("span", {}, `${shownEnd(high)}${score.worse === "high" ? " worse" : score.worse === "low" ? " better" : ""}`));
  return make("div", { class: "key-scale" }, bar, ends, make("div", { class: "key-none" }, swatch(NO_VALUE), "no value"));
}

const shownEnd = (value) => String(Math.round(value * 100) / 100);

function swatch(colour) {
  const element = make("span", { class: "swatch" });
  element.style.background = colour;
  return element;
}
