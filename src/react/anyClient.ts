import type { ClientState, ClientStateDetail } from "../api/client.js";
import type { GGCallOptions } from "../api/methodTypes.js";

/** The outcome of a call, with its types erased. */
export interface AnyOutcome {
  readonly success: boolean;
  readonly data?: unknown;
}

/** Handles what is pushed or asked. */
export type AnyHandler = (data: unknown) => unknown;

/** What the hooks use of a client, with its types erased. */
export interface AnyClient {
  readonly state: ClientState;
  readonly incoming: { on(handlers: Readonly<Record<string, AnyHandler>>): () => void };
  readonly outgoing: Readonly<
    Record<string, (data?: unknown, options?: GGCallOptions) => { asResult(): Promise<AnyOutcome> }>
  >;
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  onState(callback: (state: ClientState, detail: ClientStateDetail) => void): () => void;
}
