import type { Heartbeat } from "../../connection/heartbeat.js";
import {
  CAPABILITIES,
  type Capabilities,
  type GGWebSocketCapability,
  NO_CAPABILITIES,
  readCapabilities,
} from "../../protocol/capabilities.js";
import { MAX_BATCH_BYTES } from "../../protocol/frame.js";
import { encodeHandshakeOk } from "../../protocol/handshake.js";
import { MAX_POSITIONS } from "../../protocol/resume.js";
import { SharedMessage } from "../../transport/transport.js";

/** What a server and one of its clients both can do. */
export interface AgreedCapabilities {
  readonly agreed: Capabilities;
  /** The `k` message that says so, framed once for all. */
  readonly accept: SharedMessage;
}

/** How many announcements are remembered, and of what length: clients control both. */
const MAX_KNOWN = 16;
const MAX_LENGTH = 256;

const NOTHING_AGREED: AgreedCapabilities = {
  agreed: NO_CAPABILITIES,
  accept: new SharedMessage(encodeHandshakeOk("")),
};

/** A server's capabilities, and for each announcement of a client what both have: clients announce much the same. */
export class ServerCapabilities {
  /** Each with its parameters, as `k` has them. */
  readonly #own: ReadonlyMap<string, string>;
  readonly #known = new Map<string, AgreedCapabilities>();

  /** Without a heartbeat the server does not offer `alive`. */
  constructor(offered: readonly GGWebSocketCapability[] = CAPABILITIES, heartbeat: Heartbeat | undefined) {
    const parameters: Partial<Record<GGWebSocketCapability, string>> = {
      batch: `=${MAX_BATCH_BYTES}`,
      alive: `=${heartbeat?.silenceMs},${heartbeat?.answerMs}`,
      resume: `=${MAX_POSITIONS}`,
    };
    const possible = offered.filter((name) => name !== "alive" || heartbeat);
    this.#own = new Map(possible.map((name) => [name, parameters[name] ?? ""]));
  }

  /** What both ends have, given what the client announced. */
  agreeOn(announced: string | undefined): AgreedCapabilities {
    if (!announced) return NOTHING_AGREED;
    const known = this.#known.get(announced);
    if (known) return known;
    const agreed = readCapabilities(announced, [...this.#own.keys()]);
    const answer = [...agreed.keys()].map((name) => name + this.#own.get(name)).join(" ");
    const agreement = { agreed, accept: new SharedMessage(encodeHandshakeOk(answer)) };
    if (this.#known.size < MAX_KNOWN && announced.length <= MAX_LENGTH) this.#known.set(announced, agreement);
    return agreement;
  }
}
