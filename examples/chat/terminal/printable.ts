/** What a terminal would obey, and what would turn the direction of text: control characters and those of bidirectional text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** As wide as the time in front of a message. */
const INDENT = " ".repeat(6);

/** A text of another user or of the server: it cannot control the terminal, and its further lines are indented. */
export function printable(text: string): string {
  return text.replace(/\r\n/g, "\n").replace(CONTROLS, "\ufffd").replaceAll("\n", `\n${INDENT}`);
}

/** A name, which is on one line. */
export function printableName(name: string): string {
  return printable(name.replace(/[\t\n]/g, " "));
}
