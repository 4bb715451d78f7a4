// The editor of a page's cells: CodeMirror, bundled by esbuild when a site is built (vmalab/editions/npm.py).

import { basicSetup, EditorView } from "codemirror";
import { python } from "@codemirror/lang-python";
import { defaultHighlightStyle, HighlightStyle, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { Prec } from "@codemirror/state";
import { keymap } from "@codemirror/view";
import { tags } from "@lezer/highlight";

// The colours of pictures (vmalab/pictures/theme.py), which follow the page's theme and have the contrast.
const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword], color: "var(--vml-accent)" },
  { tag: [tags.string], color: "var(--vml-good)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--vml-target)" },
  { tag: [tags.comment], color: "var(--vml-quiet)", fontStyle: "italic" },
  { tag: [tags.definition(tags.variableName), tags.function(tags.variableName)], color: "var(--vml-edge-rw)" },
]);
const look = EditorView.theme({
  "&": { color: "var(--vml-text)", backgroundColor: "var(--vml-panel)", fontSize: "0.9em" },
  ".cm-content": { caretColor: "var(--vml-text)", fontFamily: "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" },
  ".cm-cursor": { borderLeftColor: "var(--vml-text)" },
  ".cm-gutters": { backgroundColor: "var(--vml-soft)", color: "var(--vml-quiet)", border: "none" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "transparent" },
  "&.cm-focused": { outline: "2px solid var(--vml-focus)" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--vml-soft) !important" },
  ".cm-tooltip": { backgroundColor: "var(--vml-panel)", color: "var(--vml-text)" },
});

export function editor(parent, { code, label, onRun, onChange }) {
  parent.classList.add("vml");
  const run = () => {
    onRun();
    return true;
  };
  const view = new EditorView({
    parent,
    doc: code,
    extensions: [
      Prec.highest(keymap.of([{ key: "Shift-Enter", run }, { key: "Mod-Enter", run }])),
      basicSetup,
      python(),
      indentUnit.of("    "),
      syntaxHighlighting(colours),
      syntaxHighlighting(defaultHighlightStyle, { fallback: true }),
      look,
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({ "aria-label": label }),
      EditorView.updateListener.of((update) => update.docChanged && onChange(update.state.doc.toString())),
    ],
  });
  return {
    text: () => view.state.doc.toString(),
    set: (text) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } }),
    focus: () => view.focus(),
  };
}
