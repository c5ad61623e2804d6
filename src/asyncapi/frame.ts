import { FrameType } from "../protocol/frame.js";
import type { GGAsyncApiFrame } from "./document.js";

const HAS_ID: ReadonlySet<string> = new Set([FrameType.REQUEST, FrameType.REPLY]);

/** The frame of a message; `path` is empty in a handshake. */
export function frame(
  type: GGAsyncApiFrame["type"],
  path: string,
  payload: GGAsyncApiFrame["payload"],
): GGAsyncApiFrame {
  const id = HAS_ID.has(type) ? "{id}" : "";
  return { type, path, payload, text: `${type}:${path}:${id}:${payload === "never" ? "" : "{payload}"}` };
}
