/** A message of a group as a bus carries it. */
interface GroupMessage {
  /** The frame that members get. */
  readonly frame: string;
  /** The connection that does not get it; `""` for none. */
  readonly except: string;
  /** Whether members that read too slowly may do without. */
  readonly isDroppable: boolean;
}

/** Before the frame: a mark for what is droppable, then the connection that is left out. */
const DROPPABLE = "!";
const SEPARATOR = ";";

/** The body for a bus. */
export function encodeGroupMessage({ frame, except, isDroppable }: GroupMessage): string {
  return `${isDroppable ? DROPPABLE : ""}${except}${SEPARATOR}${frame}`;
}

/** What a body says, and the path of its method; `undefined` when this version does not know its form. */
export function decodeGroupMessage(body: string): (GroupMessage & { readonly path: string }) | undefined {
  const start = body.indexOf(SEPARATOR) + 1;
  const isDroppable = body.startsWith(DROPPABLE);
  const frame = body.slice(start);
  // With a line end it would be several, to a peer that takes batches.
  if (start === 0 || !frame.startsWith("m:") || frame.includes("\n")) return undefined;
  const path = frame.slice(2, frame.indexOf(":", 2));
  return { frame, path, isDroppable, except: body.slice(isDroppable ? DROPPABLE.length : 0, start - 1) };
}
