import type { Server } from "node:http";
import type { ServableSchema } from "../../api/schema.js";
import type { Unsubscribe } from "../../api/unsubscribe.js";
import { answerPlainRequests } from "../upgrade/plainRequests.js";
import { upgradesOf } from "../upgrade/router.js";
import type { Host, HostedApi } from "./host.js";
import { checkPermissions } from "./permissionCheck.js";

interface AddedSchema {
  readonly schema: ServableSchema;
  readonly hasResolver: boolean;
  readonly state: { readonly isClosing: boolean };
}

const hosts = new WeakMap<Server, NodeHost>();

/**
 * A server of Node, which belongs to the program: its routes answer all plain requests, other listeners may take upgrades,
 * it may close and listen again, and nothing but the program tears an API down. Node has no event for the beginning of
 * `server.close()`, and `close` comes only when the last upgraded socket has gone.
 */
export class NodeHost implements Host {
  // Development servers have a socket of their own on the server that programs share with them.
  readonly unknownPaths = "leave";
  readonly outlivesApis = true;
  readonly server: Server;
  readonly #apis = new Set<HostedApi>();
  /** Those that were attached since the server listens. */
  readonly #late = new Set<HostedApi>();
  #schemas: readonly AddedSchema[] = [];

  private constructor(server: Server) {
    this.server = server;
  }

  /** The host of a server; there is one, however many APIs it serves. */
  static of(server: Server): NodeHost {
    const known = hosts.get(server);
    if (known) return known;
    const host = new NodeHost(server);
    hosts.set(server, host);
    return host;
  }

  get port(): number | undefined {
    const address = this.server.address();
    return typeof address === "object" ? address?.port : undefined;
  }

  /** Checked for each API, in whatever order they come: nothing reports an error at the start of such a server. */
  checkPermissions(schema: ServableSchema, hasResolver: boolean): void {
    const others = this.#schemas.filter(({ state }) => !state.isClosing);
    checkPermissions(schema, hasResolver, {
      isStrict: others.some((one) => one.hasResolver),
      others: others.map((one) => one.schema),
    });
  }

  addSchema(schema: ServableSchema, hasResolver: boolean, state: AddedSchema["state"]): void {
    this.#schemas = [...this.#schemas.filter((one) => !one.state.isClosing), { schema, hasResolver, state }];
  }

  attach(api: HostedApi): Unsubscribe {
    this.#listen();
    this.#apis.add(api);
    if (this.server.listening) {
      this.#late.add(api);
      // The event comes a tick after `listen()`, so it may still be ahead.
      process.nextTick(() => this.#late.delete(api) && api.onListening());
    }
    return () => {
      this.#apis.delete(api);
      this.#late.delete(api);
    };
  }

  /** Adds the listeners that the server lacks: the program may have removed those of an earlier API. */
  #listen(): void {
    answerPlainRequests(this.server, upgradesOf(this.server));
    // One for all: Node warns of more than ten.
    if (!this.server.listeners("listening").includes(this.#onListening)) this.server.on("listening", this.#onListening);
  }

  readonly #onListening = (): void => {
    this.#late.clear();
    for (const api of [...this.#apis]) api.onListening();
  };
}
