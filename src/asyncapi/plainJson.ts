/**
 * A copy of a value as JSON has it: what JSON leaves out is left out, and so is what cannot be a part of the document, since
 * its readers would take it for a reference. `undefined` when nothing is left.
 */
export function plainJson(value: unknown): unknown {
  try {
    const text = JSON.stringify(value);
    // JSON has `null` for what is no number.
    const hasNone = text === undefined || (text === "null" && value !== null);
    return hasNone || TROUBLE.test(text) ? undefined : JSON.parse(text);
  } catch {
    return undefined; // A BigInt, a cycle, or a getter that throws.
  }
}

/** Members with these names: readers of documents resolve the first, and call the others. */
const TROUBLE = /"(?:\$ref|hasOwnProperty|__proto__)":/;
