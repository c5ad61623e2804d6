/** Text that is HTML already. */
export class Html {
  constructor(readonly text: string) {}
}

type Part = Html | string | number | undefined | readonly Part[];

/** HTML from a template, in which all is escaped that is not HTML already. */
export function html(texts: TemplateStringsArray, ...parts: Part[]): Html {
  return new Html(texts.reduce((made, text, at) => made + escaped(parts[at - 1]) + text));
}

function escaped(part: Part): string {
  if (part === undefined) return "";
  if (part instanceof Html) return part.text;
  if (typeof part === "object") return part.map(escaped).join("");
  return String(part).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** A description, in which `` `this` `` is code. */
export function prose(text: string): Html {
  const parts = text.split("`").map((part, at) => (at % 2 ? html`<code>${part}</code>` : html`${part}`));
  return html`${parts}`;
}
