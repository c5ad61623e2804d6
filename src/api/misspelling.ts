/** How many edits make a misspelling. A short name is too close to others to be told from them. */
const MAX_EDITS = 2;
const SHORT = 5;

/** Whether a name is another one, misspelt. */
export function isMisspelt(name: string, known: readonly string[]): boolean {
  return name.length >= SHORT && nearest(name, known) !== undefined;
}

/** The question for the name that was probably meant, or no text. */
export function didYouMean(name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  return meant ? `; did you mean "${meant}"?` : "";
}

function nearest(name: string, known: readonly string[]): string | undefined {
  const distances = known.map((other) => editDistance(name, other));
  const least = Math.min(...distances);
  return least <= MAX_EDITS ? known[distances.indexOf(least)] : undefined;
}

/** How many characters are to be inserted, removed or replaced (Levenshtein), ignoring case. */
function editDistance(from: string, to: string): number {
  const [a, b] = [from.toLowerCase(), to.toLowerCase()];
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}
