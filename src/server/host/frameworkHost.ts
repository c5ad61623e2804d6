import type { Server } from "node:http";
import type { GGHttpServer } from "@grest-ts/http";
import type { ServableSchema } from "../../api/schema.js";
import type { Unsubscribe } from "../../api/unsubscribe.js";
import { explainPlainRequests } from "../upgrade/plainRequests.js";
import type { Host, HostedApi } from "./host.js";
import { checkPermissions } from "./permissionCheck.js";

/** The framework's server. It starts once, checks permissions then, and tears its APIs down with itself. */
export class FrameworkHost implements Host {
  readonly unknownPaths = "refuse";
  // It ends them itself.
  readonly outlivesApis = false;
  readonly #http: GGHttpServer;

  constructor(http: GGHttpServer) {
    this.#http = http;
  }

  get server(): Server {
    return this.#http.httpServer;
  }

  get port(): number | undefined {
    return this.#http.port;
  }

  checkPermissions(schema: ServableSchema, hasResolver: boolean): void {
    if (this.port === undefined) return;
    const { registeredSchemas, registeredWebSocketSchemas } = this.#http;
    const others = [
      ...registeredSchemas.map(({ contract }) => contract),
      ...registeredWebSocketSchemas.map(({ contract }) => contract.clientToServer),
    ].flatMap(({ methods }) => Object.values(methods));
    checkPermissions(schema, hasResolver, { isStrict: others.some(({ permission }) => permission !== undefined) });
  }

  addSchema(schema: ServableSchema, hasResolver: boolean): void {
    this.#http._registerWebSocketSchema(schema);
    if (hasResolver) this.#http._markResolverWired(schema);
  }

  attach({ path, upgrades, onListening, teardown }: HostedApi): Unsubscribe {
    const http = this.#http;
    explainPlainRequests(http, upgrades, path);
    if (this.port === undefined) http.onStart(onListening);
    else onListening();
    http.onTeardown(teardown);
    return () => {};
  }
}
