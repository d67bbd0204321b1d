// The 3-D view: the model coloured by a score, the map's surface, and what is chosen in either.

class View {
  /** Draw the model into `element`; the map follows with `addMap`. */
  static async create(element, data, cif, selection, colours) {
    const viewer = await molstar.Viewer.create(element, {
      extensions: [],
      layoutIsExpanded: false,
      layoutShowControls: false,
      layoutShowLeftPanel: false,
      layoutShowLog: false,
      layoutShowRemoteState: false,
      layoutShowSequence: false,
      viewportShowAnimation: false,
      viewportShowControls: false,
      viewportShowExpand: false,
      viewportShowReset: false,
      viewportShowScreenshotControls: false,
      viewportShowSelectionMode: false,
      viewportShowSettings: false,
      viewportShowToggleFullscreen: false,
      viewportShowTrajectoryControls: false,
      viewportBackgroundColor: isDark() ? "#14171c" : "#ffffff",
      volumeStreamingDisabled: true,
    });
    const { canvas3d } = viewer.plugin;
    canvas3d.setProps({ camera: { helper: { axes: { name: "off", params: {} } } } });
    if (drawsInSoftware(canvas3d)) {
      const off = { name: "off", params: {} };
      canvas3d.setProps({ postprocessing: { occlusion: off, shadow: off, antialiasing: off }, multiSample: { mode: "off" } });
    }
    // or the pointer would mean whole residues where it points at an atom
    viewer.plugin.managers.interactivity.setProps({ granularity: "element" });
    const view = new View(viewer.plugin, data, selection);
    view.take(colours);
    await view.addModel(cif);
    return view;
  }

  constructor(plugin, data, selection) {
    this.plugin = plugin;
    this.data = data;
    this.selection = selection;
    this.still = reducedMotion() || drawsInSoftware(plugin.canvas3d);
    this.version = 0;
    this.parts = { cartoon: [], sticks: [] };
    this.registerThemes();
    this.registerLabels();
    plugin.behaviors.interaction.click.subscribe(({ current }) => this.clicked(current.loci));
    this.watchPointer();
    selection.listen((row, _, source) => source !== "view" && this.show(row));
  }

  /** Row of the atom in the tables, which its id in the viewer's model tells, or -1. */
  atomAt(location) {
    if (location.kind === "bond-location") {
      const { aUnit, aIndex } = location;
      return aUnit.model.atomicConformation.atomId.value(aUnit.elements[aIndex]) - 1;
    }
    if (location.kind !== "element-location") return -1;
    return location.unit.model.atomicConformation.atomId.value(location.element) - 1;
  }

  /** Cartoons take a residue's value, atoms their own. */
  registerThemes() {
    const registry = this.plugin.representation.structure.themes.colorThemeRegistry;
    for (const [name, colour] of [
      ["atomsight-atom", (atom) => this.colourAtom(atom)],
      ["atomsight-residue", (atom) => this.colourResidue(this.data.atoms.residue[atom])],
    ]) {
      const factory = (context, props) => ({
        factory,
        granularity: "group",
        color: (location) => {
          const atom = this.atomAt(location);
          return atom < 0 ? 0x9a9a9a : colour(atom);
        },
        props,
        description: "Coloured by a score",
      });
      registry.add({
        name,
        label: name,
        category: "atomsight",
        factory,
        // a number that grows with each change of colours, or Mol* would not draw anew
        getParams: () => ({ version: { type: "number", defaultValue: 0 } }),
        defaultValues: { version: 0 },
        isApplicable: (context) => Boolean(context.structure),
      });
    }
  }

  registerLabels() {
    this.plugin.managers.lociLabels.clearProviders();
    this.plugin.managers.lociLabels.addProvider({
      label: (loci) => {
        const atom = this.firstAtom(loci);
        return atom < 0 ? undefined : this.label(atom, this.isOneAtom(loci));
      },
    });
  }

  /**
   * Without a graphics card Mol* may not know what is under the pointer: it gives up reading that
   * after a few frames, and does not ask again before it draws anew.
   */
  watchPointer() {
    const { canvas3d, behaviors } = this.plugin;
    const { hover } = behaviors.interaction;
    const element = canvas3d.webgl.gl.canvas;
    let resting = null;
    element.addEventListener("pointerdown", () => canvas3d.requestDraw());
    element.addEventListener("pointerleave", () => clearTimeout(resting));
    element.addEventListener("pointermove", ({ offsetX, offsetY, buttons }) => {
      clearTimeout(resting);
      if (buttons) return;
      resting = setTimeout(async () => {
        if (this.firstAtom(hover.value.current.loci) >= 0) return;
        canvas3d.requestDraw();
        await frames(2);
        const found = canvas3d.identify([offsetX, offsetY]);
        if (found) hover.next({ ...hover.value, current: canvas3d.getLoci(found.id), position: found.position });
      }, 250);
    });
  }

  firstAtom(loci) {
    const { StructureElement, Bond } = molstar.lib.structure;
    if (Bond.isLoci(loci)) loci = Bond.toFirstStructureElementLoci(loci);
    if (!StructureElement.Loci.is(loci) || StructureElement.Loci.isEmpty(loci)) return -1;
    return this.atomAt(StructureElement.Loci.getFirstLocation(loci));
  }

  /** Whether an atom is meant, as in sticks, and not its residue, as in a cartoon. */
  isOneAtom(loci) {
    const { StructureElement, Bond } = molstar.lib.structure;
    return Bond.isLoci(loci) || StructureElement.Loci.size(loci) === 1;
  }

  /** Numbers of what is under the pointer, a residue or `one` atom, as HTML: Mol* shows labels as such. */
  label(atom, one) {
    const { atoms, residues, scores } = this.data;
    const row = atoms.residue[atom];
    const lines = scores
      .map((score) => {
        const here = score.residues?.[row] ?? null, own = one ? score.atoms?.[atom] ?? null : null;
        if (here === null && own === null) return "";
        const name = escaped(score.name);
        if (score.labels) return `${name} <b>${escaped(here)}</b>`;
        const value = here === null ? "" : `<b>${shown(here, score.decimals)}</b>`;
        return `${name} ${value}${own === null ? "" : ` (atom ${shown(own, score.decimals)})`}`;
      })
      .filter(Boolean);
    const name = one ? ` ${escaped(atoms.name[atom])}` : "";
    return [`<b>${escaped(residues.label[row])}</b>${name}`, ...lines].join("<br>");
  }

  async addModel(cif) {
    const { builders } = this.plugin;
    const raw = await builders.data.rawData({ data: cif, label: "model" });
    const trajectory = await builders.structure.parseTrajectory(raw, "mmcif");
    const model = await builders.structure.createModel(trajectory);
    this.structure = await builders.structure.createStructure(model, { name: "model", params: {} });
    const parts = [
      ["polymer", "cartoon", { alpha: 1 }, "atomsight-residue"],
      ["ligand", "ball-and-stick", {}, "atomsight-atom"],
      ["non-standard", "ball-and-stick", {}, "atomsight-atom"],
      ["branched", "ball-and-stick", {}, "atomsight-atom"],
      ["ion", "ball-and-stick", {}, "atomsight-atom"],
      ["lipid", "ball-and-stick", {}, "atomsight-atom"],
      ["water", "ball-and-stick", { sizeFactor: 0.12 }, "atomsight-atom"],
    ];
    for (const [kind, type, typeParams, color] of parts) await this.addPart("cartoon", kind, type, typeParams, color);
    this.followFocus();
  }

  async addPart(group, kind, type, typeParams, color) {
    const { builders } = this.plugin;
    const component = await builders.structure.tryCreateComponentStatic(this.structure, kind, { tags: [group] });
    if (!component) return;
    const colorParams = { version: this.version };
    const drawn = await builders.structure.representation.addRepresentation(component, { type, typeParams, color, colorParams });
    this.parts[group].push({ ref: drawn.ref, color });
  }

  /** Residues around the chosen one, which Mol* draws by itself, in the same colours. */
  followFocus() {
    const behaviors = molstar.lib.plugin.DefaultPluginUISpec().behaviors.map((one) => one.transformer);
    this.focusBehavior = behaviors.find((one) => one.id.endsWith("structure-focus-representation"));
    return this.recolourFocus();
  }

  recolourFocus() {
    if (!this.focusBehavior) return Promise.resolve();
    const colorTheme = { name: "atomsight-atom", params: { version: this.version } };
    return this.plugin.state.updateBehavior(this.focusBehavior, (params) => {
      for (const part of ["targetParams", "surroundingsParams"]) params[part].colorTheme = colorTheme;
    });
  }

  /** Colours from now on: `atom` and `residue` give "#rrggbb" for an index. */
  take({ atom, residue }) {
    this.colourAtom = (i) => parseInt(atom(i).slice(1), 16);
    this.colourResidue = (i) => parseInt(residue(i).slice(1), 16);
    this.version += 1;
  }

  async colour(colours) {
    this.take(colours);
    const build = this.plugin.build();
    for (const { ref, color } of [...this.parts.cartoon, ...this.parts.sticks]) {
      build.to(ref).update((old) => {
        old.colorTheme = { name: color, params: { version: this.version } };
      });
    }
    await build.commit();
    await this.recolourFocus();
  }

  /** "cartoon", or "sticks" for all atoms. */
  async style(name) {
    if (name === "sticks" && !this.parts.sticks.length) {
      await this.addPart("sticks", "all", "ball-and-stick", { sizeFactor: 0.18 }, "atomsight-atom");
    }
    for (const group of Object.keys(this.parts)) {
      for (const { ref } of this.parts[group]) this.hide(ref, group !== name);
    }
  }

  hide(ref, hidden) {
    this.plugin.state.data.updateCellState(ref, { isHidden: hidden });
  }

  /** Draw the surface of a map, a CCP4 file, at a level in the file's own units. */
  async addMap(bytes, level) {
    const { StateTransforms } = molstar.lib.plugin;
    const raw = await this.plugin.builders.data.rawData({ data: bytes, label: "map" });
    const volume = await this.plugin.build().to(raw)
      .apply(StateTransforms.Data.ParseCcp4, {})
      .apply(StateTransforms.Volume.VolumeFromCcp4, {})
      .commit();
    const surface = await this.plugin.build().to(volume)
      .apply(StateTransforms.Representation.VolumeRepresentation3D, this.surface(level))
      .commit();
    this.map = surface.ref;
    this.reset(0);
  }

  surface(level) {
    return {
      type: {
        name: "isosurface",
        params: { isoValue: { kind: "absolute", absoluteValue: level }, alpha: 0.2, visuals: ["solid"], doubleSided: true },
      },
      colorTheme: { name: "uniform", params: { value: 0x8c929b } },
    };
  }

  async contour(level) {
    if (!this.map) return;
    await this.plugin.build().to(this.map).update((old) => {
      old.type.params.isoValue = { kind: "absolute", absoluteValue: level };
    }).commit();
  }

  showMap(visible) {
    if (this.map) this.hide(this.map, !visible);
  }

  clicked(loci) {
    const found = this.firstAtom(loci);
    if (found < 0) return;
    const atom = this.isOneAtom(loci) ? found : null;
    this.selection.choose(this.data.atoms.residue[found], { atom, source: "view" });
  }

  /** Mark a residue and fly to it. */
  show(row) {
    const { StructureElement } = molstar.lib.structure;
    const structure = this.structure.cell?.obj?.data;
    if (!structure || row === null) return;
    const loci = StructureElement.Loci.fromSchema(structure, { items: { atom_id: this.data.atomsOf(row).map((atom) => atom + 1) } });
    if (StructureElement.Loci.isEmpty(loci)) return;
    this.plugin.managers.structure.focus.setFromLoci(loci);
    this.plugin.managers.camera.focusLoci(loci, { extraRadius: 6, durationMs: this.still ? 0 : 400 });
  }

  /** The whole model again, not the larger box of the map. */
  reset(durationMs = this.still ? 0 : 400) {
    const { Structure } = molstar.lib.structure;
    this.plugin.managers.structure.focus.clear();
    const whole = Structure.toStructureElementLoci(this.structure.cell.obj.data);
    this.plugin.managers.camera.focusLoci(whole, { durationMs, extraRadius: 0 });
  }

  background(colour) {
    this.plugin.canvas3d?.setProps({ renderer: { backgroundColor: parseInt(colour.slice(1), 16) } });
  }

  camera() {
    const { position, target } = this.plugin.canvas3d.camera.state;
    return { position: [...position], target: [...target] };
  }
}

const frames = async (count) => {
  for (let i = 0; i < count; i++) await new Promise(requestAnimationFrame);
};

const reducedMotion = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Whether no graphics card draws, as on many remote desktops: then nothing costly, and no flights. */
function drawsInSoftware(canvas3d) {
  const { gl } = canvas3d.webgl;
  const info = gl.getExtension("WEBGL_debug_renderer_info");
  return /swiftshader|llvmpipe|software/i.test(info ? gl.getParameter(info.UNMASKED_RENDERER_WEBGL) : "");
}
