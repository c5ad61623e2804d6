/** Between the messages of a batch. Neither JSON text nor a path nor an id holds one. */
export const SEPARATOR = "\n";

/**
 * Joins messages into as few texts as their limit allows, in their order. Each has at most `maxBytes` in UTF-8 (a UTF-16
 * unit becomes three bytes at most), but for a message that alone is larger: that one goes on its own.
 */
export function joinMessages(messages: readonly string[], maxBytes: number): readonly string[] {
  const batches: string[] = [];
  let first = 0;
  let length = 0;
  for (let i = 0; i < messages.length; i++) {
    length += (messages[i] as string).length + 1;
    if (3 * length > maxBytes && i > first) {
      batches.push(messages.slice(first, i).join(SEPARATOR));
      first = i;
      length = (messages[i] as string).length + 1;
    }
  }
  batches.push((first === 0 ? messages : messages.slice(first)).join(SEPARATOR));
  return batches;
}
