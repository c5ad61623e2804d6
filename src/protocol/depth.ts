/** How deep the arrays and objects of a payload may nest unless the program says otherwise. */
export const MAX_DEPTH = 128;

/**
 * Whether the arrays and objects of a JSON text nest deeper than that, by counting brackets outside of strings: a
 * hostile payload costs one pass, no parsing and no recursion.
 */
export function isDeeper(json: string, maxDepth: number): boolean {
  // Each level takes two characters at least, so most payloads are not scanned.
  if (json.length <= 2 * maxDepth) return false;
  let depth = 0;
  for (let i = 0; i < json.length; i++) {
    const character = json[i];
    if (character === '"') i = endOfString(json, i);
    else if (character === "[" || character === "{") depth++;
    else if (character === "]" || character === "}") depth--;
    if (depth > maxDepth) return true;
  }
  return false;
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
