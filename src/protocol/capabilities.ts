import { MAX_BATCH_BYTES, parsePayload } from "./frame.js";

/** The protocol extensions; PROTOCOL.md, "Capabilities", says what each does. */
export const CAPABILITIES = ["batch", "alive", "cancel", "drain", "resume"] as const;

/** Those that every client can offer. */
export const CLIENT_CAPABILITIES = ["batch", "alive", "cancel", "drain"] as const;

/** One of them. */
export type GGWebSocketCapability = (typeof CAPABILITIES)[number];

/**
 * The protocol extensions that both ends announced (PROTOCOL.md section 10), each with its parameters as the peer wrote
 * them. A client announces its own in `h`, a server those that it shares in `k`, both as one text under one reserved
 * member: `batch=65536 alive=25000,10000 cancel drain`.
 */
export type Capabilities = ReadonlyMap<string, string>;

/** Most peers of an older version have none, and share this. */
export const NO_CAPABILITIES: Capabilities = new Map();

/** The reserved member of the payloads of `h` and `k`. No header of a program may have this name. */
export const CAPABILITIES_MEMBER = "ws-capabilities";

/** What a peer wrote, as far as it is among `known`. Anything that is no text announces nothing. */
export function readCapabilities(text: unknown, known: readonly string[]): Capabilities {
  const capabilities = new Map<string, string>();
  for (const item of typeof text === "string" ? text.split(" ") : []) {
    const [name = "", parameters = ""] = item.split("=");
    if (known.includes(name)) capabilities.set(name, parameters);
  }
  return capabilities;
}

/** What the server's `k` says that both ends have; nothing when its payload is that of 0.0.39. */
export function acceptedCapabilities(payload: string, announced: readonly string[]): Capabilities {
  return readCapabilities(Object(parsePayload(payload))[CAPABILITIES_MEMBER], announced);
}

/** The most bytes of a batch to the peer: what it announced, within our own limit; 0 when it takes none. */
export function batchBytes(agreed: Capabilities): number {
  const announced = agreed.get("batch");
  return announced === undefined ? 0 : Math.min(+announced || MAX_BATCH_BYTES, MAX_BATCH_BYTES);
}
