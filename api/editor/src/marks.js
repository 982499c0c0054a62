// Colours on the drawing: where a trial stands, what no scenario takes, what a version changed. One meaning at a time.
const LAYERS = {
  trial: ["trial-done", "trial-current", "trial-failed"],
  coverage: ["coverage-gap"],
  way: ["way-there"],
  difference: ["difference-added", "difference-changed", "difference-moved"],
};

export class Marks {
  constructor(editor) {
    this.editor = editor;
  }

  clear(layer) {
    const canvas = this.editor.modeler.get("canvas");
    for (const name of LAYERS[layer]) {
      for (const element of this.editor.registry.getAll()) if (canvas.hasMarker(element, name)) canvas.removeMarker(element, name);
    }
    this.editor.modeler.get("overlays").remove({ type: layer });
  }

  set(layer, name, ids) {
    const canvas = this.editor.modeler.get("canvas");
    for (const id of ids) if (this.editor.registry.get(id)) canvas.addMarker(id, name);
  }

  /** Put a small word or number on an element. */
  badge(layer, id, text, title = text) {
    const element = this.editor.registry.get(id);
    if (!element || element.waypoints) return;
    const badge = document.createElement("span");
    badge.className = `ed-badge ed-${layer}`;
    badge.textContent = text;
    badge.title = title;
    this.editor.modeler.get("overlays").add(element, layer, { position: { bottom: 12, right: 20 }, html: badge });
  }
}
