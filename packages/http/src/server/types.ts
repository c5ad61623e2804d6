import type { IncomingMessage, ServerResponse } from "node:http";
import type { GGPermission } from "@grest-ts/schema";

/** Answers a request. `params` holds the path's named parts, and under `*` the wildcard's match. */
export type GGHttpRouteHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  params: Readonly<Record<string, string | undefined>>,
) => void | Promise<void>;

/** The part of method definitions that the permission check reads. */
export interface GGPermissionedMethods {
  readonly methods: Readonly<Record<string, { readonly permission?: GGPermission | undefined }>>;
}

/** A WebSocket API as the server registers it. */
export interface GGRegisteredWebSocketSchema {
  readonly name: string;
  /** Where it is served. */
  readonly path: string;
  /** Methods that a server calls are not checked. */
  readonly contract: { readonly clientToServer: GGPermissionedMethods };
  readonly middlewares: readonly unknown[];
  readonly connectPermission?: GGPermission | undefined;
}

/** An HTTP API as the server registers it. */
export interface GGRegisteredHttpSchema {
  readonly name: string;
  readonly pathPrefix: string;
  readonly contract: GGPermissionedMethods;
}
