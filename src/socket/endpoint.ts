import type { GGWebSocketLogger } from "../contract/logger.js";
import type { CompiledMethod } from "./compiledMethod.js";
import type { MethodTable } from "./methodTable.js";
import type { AnyError } from "./outcome.js";

/** The scopes of a connection: `null` without an identity, `undefined` where nobody asked. */
export type Scopes = ReadonlySet<string> | null | undefined;

/** Calls a function in an async context that was captured earlier. */
export type AsyncScope = <T>(fn: () => T) => T;

/** Where traffic is counted. Paths are those of the contract, or `"unknown"`; `startedAt`, on the clock of `performance.now()`, is absent when there is nothing to time. */
export interface SocketMetrics {
  handled(path: string, result: string, startedAt?: number): void;
  sent(path: string, result: string, startedAt?: number): void;
}

/** What all connections of one registration, or of one client, have in common. */
export interface SocketEndpoint {
  /** Names the API in errors and logs. */
  readonly apiName: string;
  /** What the peer may call. */
  readonly table: MethodTable;
  readonly logger: GGWebSocketLogger;
  /** A client counts nothing. */
  readonly metrics?: SocketMetrics;
  /** How long a call waits for its reply by default, in ms. */
  readonly timeout: number;
  /** Everything that a connection calls back runs in here. */
  readonly scope: AsyncScope;
  /** Whether a connection with these scopes may call a method; the error to answer with when not. */
  authorize?(method: CompiledMethod, scopes: Scopes): AnyError | undefined;
}

/** How long a call waits for its reply unless the program says otherwise, in ms. */
export const CALL_TIMEOUT = 30_000;
