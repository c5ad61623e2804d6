import type { Resumption } from "./Connection.js";

/** What the user reads when a room goes on after an interruption. */
export function describeReturn({ how, isComplete, missed }: Resumption, node?: string): string {
  if (how === "stayed") return "Messages may be missing";
  const place = node === undefined ? "" : `node ${node}`;
  const beginning = how === "moved" ? `Moved to ${place || "another server"}` : `Back${place && ` on ${place}`}`;
  if (!isComplete) return `${beginning}. Messages may be missing`;
  if (how === "moved") return `${beginning}. Nothing is missing`;
  if (missed === 0) return `${beginning}. Nothing was sent meanwhile`;
  return `${beginning}; ${missed} ${missed === 1 ? "message was" : "messages were"} sent meanwhile`;
}
