import { ERROR } from "@grest-ts/schema";

/** How many issues of a `VALIDATION_ERROR` are named. */
const MAX_ISSUES = 3;

/**
 * What an error says to people, in one line: its `displayMessage`, what is wrong with each field of a `VALIDATION_ERROR`
 * (of three at most), or else its message. Takes whatever was thrown, and never throws.
 *
 * @example
 * const result = await client.outgoing.join({ room }).asResult();
 * if (!result.success) show(sentenceOf(result)); // "All seats in Lounge are taken"
 */
export function sentenceOf(error: unknown): string {
  try {
    if (!(error instanceof ERROR)) return error instanceof Error ? error.message || error.name : String(error);
    const { context, data, type } = error;
    if (type === "VALIDATION_ERROR" && Array.isArray(data) && data.length > 0) {
      const named = data.slice(0, MAX_ISSUES).map(({ path, message }) => (path ? `${path}: ${message}` : message));
      return data.length > MAX_ISSUES ? `${named.join("; ")}; …` : named.join("; ");
    }
    return context?.displayMessage || type;
  } catch {
    return "an error that cannot be read";
  }
}
