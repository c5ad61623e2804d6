import type { IncomingMessage, ServerResponse } from "node:http";
import type { GGPermission } from "@grest-ts/schema";

/** Answers a request. `params` holds the path's named parts, and under `*` what a wildcard matched. */
export type GGHttpRouteHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  params: Readonly<Record<string, string | undefined>>,
) => void | Promise<void>;

/** Method definitions, as far as the permission check reads them. */
export interface GGPermissionedMethods {
  readonly methods: Readonly<Record<string, { readonly permission?: GGPermission | undefined }>>;
}

/** What the server needs to know of a WebSocket API. */
export interface GGRegisteredWebSocketSchema {
  readonly name: string;
  /** Where it is served. */
  readonly path: string;
  /** Methods that a server calls are not checked. */
  readonly contract: { readonly clientToServer: GGPermissionedMethods };
  readonly middlewares: readonly unknown[];
  readonly connectPermission?: GGPermission | undefined;
}

/** What the server needs to know of an HTTP API. */
export interface GGRegisteredHttpSchema {
  readonly name: string;
  readonly pathPrefix: string;
  readonly contract: GGPermissionedMethods;
}
