import { ERROR, VALIDATION_ERROR } from "@grest-ts/schema";

/** The text of an error for the user: the issues of the input, or the error's own message. */
export function describeError(error: unknown): string {
  if (VALIDATION_ERROR.is(error) && error.data.length > 0) {
    return error.data.map(({ path, message }) => (path ? `${capitalise(path)}: ${message}` : message)).join("\n");
  }
  if (error instanceof ERROR) {
    const { displayMessage, ref } = error.context ?? {};
    return displayMessage ?? `Something went wrong (${error.type}, ${ref})`;
  }
  return error instanceof Error ? error.message : String(error);
}

const capitalise = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
