/** How deep the arrays and objects of a payload may nest unless the program says otherwise. */
export const MAX_DEPTH = 128;

/** How many values a payload may have unless the program says otherwise. */
export const MAX_VALUES = 1_000_000;

/** What is wrong with a payload that exceeds a limit. */
export type Excess = "was nested too deep" | "had too many values";

/**
 * Whether the arrays and objects of a JSON text nest deeper, or it has more values, than these limits, by counting
 * brackets and commas outside of strings: a hostile payload costs one pass, no parsing and no recursion.
 */
export function excessOf(json: string, maxDepth: number, maxValues = Number.POSITIVE_INFINITY): Excess | undefined {
  // Each level and each value takes two characters at least, so most payloads are not scanned.
  if (json.length <= 2 * Math.min(maxDepth, maxValues)) return undefined;
  let depth = 0;
  let values = 1;
  for (let i = 0; i < json.length; i++) {
    switch (json.charCodeAt(i)) {
      case 0x22: // "
        i = endOfString(json, i);
        break;
      case 0x2c: // ,
        values++;
        break;
      case 0x5b: // [
      case 0x7b: // {
        if (++depth > maxDepth) return "was nested too deep";
        if (!isClosing(json.charCodeAt(i + 1))) values++;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth--;
        break;
      default:
        continue;
    }
    if (values > maxValues) return "had too many values";
  }
  return undefined;
}

function isClosing(code: number): boolean {
  return code === 0x5d || code === 0x7d;
}

/** Where the string that begins at `at` ends. */
function endOfString(json: string, at: number): number {
  let end = at;
  let backslashes = 0;
  do {
    end = json.indexOf('"', end + 1);
    for (backslashes = 0; json[end - 1 - backslashes] === "\\"; ) backslashes++;
  } while (backslashes % 2);
  return end < 0 ? json.length : end;
}
