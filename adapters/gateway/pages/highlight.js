// Colour for GraphQL and JSON: one pass of one expression each, text nodes only.

const GRAPHQL =
  /(?<note>#[^\n]*)|(?<text>"""[\s\S]*?"""|"(?:\\.|[^"\\\n])*"?)|(?<number>-?\b\d[\d.eE+-]*)|(?<word>\b(?:query|mutation|subscription|fragment|on|true|false|null)\b|\$\w+|@\w+|\b[A-Z][A-Z0-9_]+\b)|(?<key>\w+(?=\s*:))/g;
const JSON_TEXT =
  /(?<key>"(?:\\.|[^"\\\n])*"(?=\s*:))|(?<text>"(?:\\.|[^"\\\n])*"?)|(?<number>-?\b\d[\d.eE+-]*)|(?<word>\b(?:true|false|null)\b)/g;

/** Show `text` in `target`, coloured as "graphql" or "json". */
export function highlight(target, text, language) {
  const parts = [];
  let end = 0;
  for (const found of text.matchAll(language === "graphql" ? GRAPHQL : JSON_TEXT)) {
    if (found.index > end) parts.push(text.slice(end, found.index));
    const span = document.createElement("span");
    span.className = Object.keys(found.groups).find((name) => found.groups[name] !== undefined);
    span.textContent = found[0];
    parts.push(span);
    end = found.index + found[0].length;
  }
  parts.push(text.slice(end));
  target.replaceChildren(...parts);
}

/** Make the text field inside `box` an editor; returns how to read and write it. */
export function editor(box, language) {
  const copy = box.querySelector("pre");
  const field = box.querySelector("textarea");
  // The newline keeps the copy as tall as the field when the text ends with one.
  const paint = () => highlight(copy, `${field.value}\n`, language);
  const follow = () => {
    copy.scrollTop = field.scrollTop;
    copy.scrollLeft = field.scrollLeft;
  };
  field.addEventListener("input", paint);
  field.addEventListener("scroll", follow);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) keepIndent(event, field);
  });
  return {
    field,
    get value() {
      return field.value;
    },
    set value(text) {
      field.value = text;
      paint();
      follow();
    },
  };
}

function keepIndent(event, field) {
  const before = field.value.slice(0, field.selectionStart);
  const indent = /[^\n]*$/.exec(before)[0].match(/^ */)[0];
  const deeper = /[{([]\s*$/.test(before) ? "  " : "";
  event.preventDefault();
  // execCommand, although old, is the only way that keeps the browser's undo.
  document.execCommand("insertText", false, `\n${indent}${deeper}`);
}
