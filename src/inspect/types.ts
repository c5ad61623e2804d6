import type { GGWebSocketLogger } from "../api/logger.js";
import type { SchemaDefinition } from "../api/schema.js";

/** What a frame is. PROTOCOL.md describes each under its letter. */
export type GGFrameKind =
  /** `h`: the client's headers and capabilities. */
  | "handshake"
  /** `k`: the server accepts. */
  | "accepted"
  /** `x`: the server refuses. */
  | "refused"
  /** `m` */
  | "message"
  /** `r` */
  | "request"
  /** `s` */
  | "reply"
  /** `p`; the pings of WebSocket itself are not seen. */
  | "ping"
  /** `o` */
  | "pong"
  /** `c`: the caller cancels a request. */
  | "cancel"
  /** `d`: the server shuts down. */
  | "drain"
  /** `g`: where a member of a group is. */
  | "group"
  /** The end of a connection, which is no frame of the protocol. */
  | "close"
  /** A letter that is none of the protocol, or no frame at all. */
  | "unknown";

/** One frame that was seen, or the end of a connection. It is frozen: all sinks get the same. */
export interface GGInspectedFrame {
  /** When, in ms since 1970. */
  readonly at: number;
  /** Which end saw it. */
  readonly side: "client" | "server";
  /** Names the connection: on a server as its log does, else by a number, such as `client-1`. */
  readonly connection: string;
  /** Whether this end has sent or received it. */
  readonly direction: "sent" | "received";
  /** What it is. */
  readonly kind: GGFrameKind;
  /** `ChatApi.sendMessage`; absent where the frame has none. At most 200 characters. */
  readonly path?: string;
  /** Of a request, its reply and its cancellation; of a `group` its alias; of a `message` its place in a group. At most 200 characters. */
  readonly id?: string;
  /** The frame's length in UTF-8; 0 for `close`. */
  readonly bytes: number;
  /** Where it was in a WebSocket message that held several frames: from 0, and how many there were. */
  readonly batch?: {
    /** Its place, from 0. */
    readonly index: number;
    /** How many frames there were. */
    readonly size: number;
  };
  /** Of a reply: how many ms after its request it was seen; of `accepted` and `refused`, after the handshake. */
  readonly ms?: number;
  /** Of a reply and of `refused`: `"OK"`, or the type of the error. */
  readonly result?: string;
  /** Of `close`: the close code; 1006 when the connection broke. */
  readonly code?: number;
  /** Of `close`: the reason that was given with the code. */
  readonly reason?: string;
  /**
   * Only with the option `payloads`, and redacted: the input of a message or request; of a reply the result, or the data of
   * an error; of `handshake` the headers, by their names; of others what they carry.
   */
  readonly payload?: unknown;
  /** Only with `payloads`: the sentence of an error, which is the server's and not redacted. */
  readonly message?: string;
  /** Only with `payloads`: why there is no payload. */
  readonly omitted?: "too long" | "not JSON";
}

/** A connection that frames were seen of. */
export interface GGInspectedConnection {
  /** As in {@link GGInspectedFrame.connection}. */
  readonly id: string;
  /** Which end is inspected. */
  readonly side: "client" | "server";
  /** Since when it is inspected, in ms since 1970. */
  readonly since: number;
  /** When it ended, in ms since 1970; absent while it is open. */
  readonly closedAt?: number;
  /** How many frames were seen, whether or not they are kept. */
  readonly frames: number;
}

/**
 * Gets each frame when it is sent, or before it is handled. One that throws, or whose promise rejects, stops nothing: its
 * first failure is logged. It must not send anything on what it inspects, which would be seen in its turn.
 */
export type GGInspectSink = (frame: GGInspectedFrame) => unknown;

/** Options of `inspect`. */
export interface GGInspectOptions {
  /**
   * How many frames are kept of each connection, the latest ones, for {@link GGInspection.recent}. Default 500; 0 keeps
   * none. There are 100,000 at most in all: where many connections have many, those with the most keep fewer.
   */
  readonly keep?: number | undefined;
  /** How many connections that have closed are kept, the latest ones. Default 100. */
  readonly keepClosed?: number | undefined;
  /** Whether payloads are shown, redacted as the next options say. Default `false`. */
  readonly payloads?: boolean | undefined;
  /**
   * What is never shown of payloads: dotted paths in an input, a result or the data of an error, where `*` is any one member
   * or item: `["token", "user.password", "items.*.secret"]`.
   */
  readonly redact?: readonly string[] | undefined;
  /**
   * Members of these names are never shown, wherever they are. Default: names with `password`, `passwd`, `secret`, `token`,
   * `authorization`, `cookie`, `credential` or `apikey` in them, in any case; `false` for none.
   */
  readonly redactNames?: RegExp | false | undefined;
  /**
   * The schema that the target speaks, or several: what its validators mark as sensitive is not shown, and the data of those
   * errors is that it has a schema for. A server that was made from a schema knows its own.
   */
  readonly schemas?: InspectedSchema | readonly InspectedSchema[] | undefined;
  /** The names of handshake headers whose values may be shown, in lower case. Default: none. */
  readonly headers?: readonly string[] | undefined;
  /** The longest payload that is shown, in characters. Default 16,384. */
  readonly maxPayload?: number | undefined;
  /**
   * What is neither kept nor given to the sink: all frames that this returns `false` for, or fails for. It cannot be
   * asynchronous. Default: nothing.
   */
  readonly filter?: ((frame: GGInspectedFrame) => boolean) | undefined;
  /** Where the first failure of a sink, a filter or the inspection itself is logged. Default: the log of the server, else `console`. */
  readonly logger?: Pick<GGWebSocketLogger, "error"> | undefined;
}

/** A schema, as far as it is needed here. */
export type InspectedSchema = Pick<SchemaDefinition, "name" | "methods">;

/** What `inspect` returns. */
export interface GGInspection {
  /**
   * The frames that are kept: of one connection, or of all, in their order. Those of a connection stay for a while after it
   * has closed, and all of them after {@link stop}.
   */
  recent(connection?: string): GGInspectedFrame[];
  /** The connections that are open, and those that have closed and are kept. */
  readonly connections: readonly GGInspectedConnection[];
  /** Ends the inspection. What it changed in the target is as it was, once no other inspection needs it. */
  stop(): void;
}
