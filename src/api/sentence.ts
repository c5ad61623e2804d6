import { ERROR } from "@grest-ts/schema";

/** How many issues of a `VALIDATION_ERROR` are named. */
const MAX_ISSUES = 3;

/** The longest sentence, in UTF-16 units. */
const MAX_LENGTH = 500;

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
    const text = String(textOf(error)).replace(/\s+/g, " ").trim();
    return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
  } catch {
    return "an error that cannot be read";
  }
}

function textOf(error: unknown): unknown {
  if (!(error instanceof ERROR)) return error instanceof Error ? error.message || error.name : error;
  const { context, data, type } = error;
  if (type !== "VALIDATION_ERROR" || !Array.isArray(data) || data.length === 0) return context?.displayMessage || type;
  const named = data.slice(0, MAX_ISSUES).map(({ path, code, message = code }) =>
    // The messages of some libraries begin with it.
    path && !String(message).startsWith(path) ? `${path}: ${message}` : message,
  );
  return [...named, ...(data.length > MAX_ISSUES ? ["…"] : [])].join("; ");
}
