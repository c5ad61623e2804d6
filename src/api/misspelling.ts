/** Whether a name is one of the known ones, misspelt. Short names are too close to others to be told from them. */
export function isMisspelt(name: string, known: readonly string[]): boolean {
  const { meant, edits } = nearest(name, known);
  return meant.length > 4 && edits <= (meant.length > 6 ? 2 : 1);
}

/** The question for the name that was probably meant, or no text. */
export function didYouMean(name: string, known: readonly string[]): string {
  const { meant, edits } = nearest(name, known);
  return edits <= 2 ? `; did you mean "${meant}"?` : "";
}

function nearest(name: string, known: readonly string[]): { readonly meant: string; readonly edits: number } {
  let result = { meant: "", edits: Number.POSITIVE_INFINITY };
  for (const meant of known) {
    const edits = editDistance(name.toLowerCase(), meant.toLowerCase());
    if (edits < result.edits) result = { meant, edits };
  }
  return result;
}

/** How many characters are to be inserted, removed, replaced or swapped with the next. */
function editDistance(from: string, to: string): number {
  const rows = [Array.from({ length: to.length + 1 }, (_, j) => j)];
  const at = (i: number, j: number) => rows[i]?.[j] ?? Number.POSITIVE_INFINITY;
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    rows.push(row);
    for (let j = 1; j <= to.length; j++) {
      const isSwap = from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      row[j] = Math.min(
        at(i - 1, j) + 1,
        at(i, j - 1) + 1,
        at(i - 1, j - 1) + (from[i - 1] === to[j - 1] ? 0 : 1),
        isSwap ? at(i - 2, j - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
  }
  return at(from.length, to.length);
}
