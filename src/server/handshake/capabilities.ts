import type { GGWebSocketCapability } from "../../api/server.js";
import type { Heartbeat } from "../../connection/heartbeat.js";
import { MAX_BATCH_BYTES } from "../../protocol/batch.js";
import { type Capabilities, NO_CAPABILITIES, readCapabilities } from "../../protocol/capabilities.js";
import { encodeHandshakeOk } from "../../protocol/handshake.js";
import { SharedMessage } from "../../transport/sharedMessage.js";

const ALL: readonly GGWebSocketCapability[] = ["batch", "alive", "cancel", "drain"];

/** What a server and one of its clients have in common. */
export interface SharedCapabilities {
  readonly agreed: Capabilities;
  /** The `k` message that says so, framed once for all. */
  readonly accept: SharedMessage;
}

/** How many announcements are remembered, and of what length: it is clients who write them. */
const MAX_KNOWN = 16;
const MAX_LENGTH = 256;

const NOTHING_SHARED: SharedCapabilities = {
  agreed: NO_CAPABILITIES,
  accept: new SharedMessage(encodeHandshakeOk("")),
};

/** A server's capabilities, and for each announcement of a client what they share: clients announce much the same. */
export class ServerCapabilities {
  /** Each with its parameters, as `k` has them. */
  readonly #own: ReadonlyMap<string, string>;
  readonly #known = new Map<string, SharedCapabilities>();

  /** Without a heartbeat of the server's there is none that clients could follow. */
  constructor(offered: readonly GGWebSocketCapability[] = ALL, heartbeat: Heartbeat | undefined) {
    const parameters: Partial<Record<GGWebSocketCapability, string>> = {
      batch: `=${MAX_BATCH_BYTES}`,
      alive: `=${heartbeat?.intervalMs},${heartbeat?.timeoutMs}`,
    };
    const possible = offered.filter((name) => name !== "alive" || heartbeat);
    this.#own = new Map(possible.map((name) => [name, parameters[name] ?? ""]));
  }

  /** What is shared with a client that announced this. */
  shared(announced: string | undefined): SharedCapabilities {
    if (!announced) return NOTHING_SHARED;
    const known = this.#known.get(announced);
    if (known) return known;
    const agreed = readCapabilities(announced, [...this.#own.keys()]);
    const answer = [...agreed.keys()].map((name) => name + this.#own.get(name)).join(" ");
    const shared = { agreed, accept: new SharedMessage(encodeHandshakeOk(answer)) };
    if (this.#known.size < MAX_KNOWN && announced.length <= MAX_LENGTH) this.#known.set(announced, shared);
    return shared;
  }
}
