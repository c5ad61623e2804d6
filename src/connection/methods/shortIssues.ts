import { VALIDATION_ERROR, type ValidationIssueJson } from "@grest-ts/schema";
import type { AnyError } from "./outcome.js";

/** In characters. Neither values nor keys of the payload, which are in paths, may make a reply larger than its request. */
const MAX_LENGTH = 1_000;

/** An error to answer with: the texts of its issues are cut, and values left out, where they are long. */
export function withShortIssues(error: AnyError): AnyError {
  if (!(error instanceof VALIDATION_ERROR) || !Array.isArray(error.data)) return error;
  return new VALIDATION_ERROR(error.data.map(shorten), error.context);
}

function shorten(issue: ValidationIssueJson): ValidationIssueJson {
  const short = Object.entries(Object(issue) as ValidationIssueJson).map(([name, member]) => {
    if (name !== "value" && typeof member === "string") return [name, member.slice(0, MAX_LENGTH)];
    return [name, isShort(member) ? member : undefined];
  });
  return Object.fromEntries(short);
}

/** Whether the JSON text of a value is short: reads no more of it than that, however large or deep it is. */
function isShort(value: unknown): boolean {
  let left = MAX_LENGTH;
  try {
    JSON.stringify(value, (key, part) => {
      left -= key.length + (typeof part === "string" ? part.length : 1);
      if (left < 0) throw left;
      return part;
    });
    return true;
  } catch {
    return false;
  }
}
