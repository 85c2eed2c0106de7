// Turns the text area of an exercise's page into an editor. The text area keeps the text, so the
// form works as without scripts.
import { basicSetup } from "codemirror";
import { indentWithTab } from "@codemirror/commands";
import { python } from "@codemirror/lang-python";
import { HighlightStyle, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, setDiagnostics } from "@codemirror/lint";
import { EditorState, Prec } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const DRAFT_DELAY = 1000; // milliseconds after the last change

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword], color: "var(--accent)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--good)" },
  { tag: tags.comment, color: "var(--dim)", fontStyle: "italic" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--bad)" },
  { tag: tags.definition(tags.function(tags.variableName)), fontWeight: "600" },
]);

const look = EditorView.theme({
  "&": {
    color: "var(--text)",
    backgroundColor: "var(--card)",
    border: "1px solid var(--dim)",
    borderRadius: ".4rem",
    fontSize: ".88rem",
    height: "34rem",
  },
  "&.cm-focused": { outline: "3px solid var(--accent)", outlineOffset: "2px" },
  ".cm-scroller": { fontFamily: "ui-monospace, monospace", lineHeight: "1.5" },
  ".cm-gutters": { backgroundColor: "var(--note)", color: "var(--dim)", border: "none" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--note)" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground": {
    backgroundColor: "color-mix(in srgb, var(--accent) 30%, transparent)",
  },
  ".cm-tooltip": { backgroundColor: "var(--card)", color: "var(--text)" },
});

function diagnostics(state, marks) {
  return marks
    .filter((mark) => mark.line > 0 && mark.line <= state.doc.lines)
    .map((mark) => {
      const line = state.doc.line(mark.line);
      return { from: line.from, to: line.to, severity: "error", message: mark.text };
    });
}

function keepDraft(area) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      fetch(area.dataset.draft, {
        method: "POST",
        body: area.value,
        headers: { "Content-Type": "text/plain" },
      }).catch(() => {}); // what is graded is kept anyway
    }, DRAFT_DELAY);
  };
}

function edit(area) {
  const nonce = document.querySelector('meta[name="csp-nonce"]').content;
  const label = document.querySelector(`label[for="${area.id}"]`);
  const changed = keepDraft(area);
  const submit = () => {
    area.form.requestSubmit();
    return true;
  };
  const view = new EditorView({
    doc: area.value,
    extensions: [
      EditorView.cspNonce.of(nonce),
      Prec.highest(keymap.of([{ key: "Mod-Enter", run: submit }])),
      basicSetup,
      keymap.of([indentWithTab]), // Escape, then Tab, leaves the editor
      indentUnit.of("    "),
      EditorState.tabSize.of(4),
      python(),
      syntaxHighlighting(colours),
      lintGutter(),
      look,
      EditorView.contentAttributes.of({
        "aria-label": label ? label.textContent : "Your code",
        tabindex: "0",
      }),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) {
          area.value = update.state.doc.toString();
          changed();
        }
      }),
    ],
  });
  area.hidden = true;
  area.after(view.dom);
  if (label) label.addEventListener("click", () => view.focus());
  const marks = JSON.parse(area.dataset.marks || "[]");
  view.dispatch(setDiagnostics(view.state, diagnostics(view.state, marks)));
}

const area = document.getElementById("source");
if (area) edit(area);
