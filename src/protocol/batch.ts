/** Between the messages of a batch. Neither JSON text nor a path nor an id holds one. */
export const SEPARATOR = "\n";

/**
 * Joins messages into as few texts as their limit allows, in their order. Each has at most `maxBytes` in UTF-8 (a UTF-16
 * unit becomes three bytes at most), but for a message that alone is larger: that one goes on its own.
 */
export function joinMessages(messages: readonly string[], maxBytes: number): readonly string[] {
  const maxLength = maxBytes / 3;
  const batches: string[] = [];
  let batch = messages[0] ?? "";
  for (let i = 1; i < messages.length; i++) {
    const message = messages[i] as string;
    if (batch.length + message.length < maxLength) batch += SEPARATOR + message;
    else {
      batches.push(batch);
      batch = message;
    }
  }
  batches.push(batch);
  return batches;
}
