/** A copy of a text. What is cut out of a text, and kept, would keep all of it in memory. */
export function detached(text: string): string {
  return JSON.parse(JSON.stringify(text)) as string;
}
