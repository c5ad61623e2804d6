import type { Server } from "node:http";
import type { ServableSchema } from "../../api/schema.js";
import type { Unsubscribe } from "../../api/unsubscribe.js";
import type { UpgradeRouter } from "../upgrade/router.js";

/** The HTTP server that an API is served on: the framework's, or one of Node. */
export interface Host {
  /** Node's own. */
  readonly server: Server;
  /** The port that it listens on; `undefined` while it does not, or listens on a pipe. */
  readonly port: number | undefined;
  /** Whether it may go on for a while after its APIs have ended, and their paths are to be asked for elsewhere. */
  readonly outlivesApis: boolean;
  /** What happens to upgrades to paths that no API has, where the API does not say it. */
  readonly unknownPaths: "refuse" | "leave";
  /**
   * Checks the permissions of an API before it is served, unless they are checked when the server starts.
   *
   * @throws Error naming what declares no permission where others on the server do, or what nothing can grant
   */
  checkPermissions(schema: ServableSchema, hasResolver: boolean): void;
  /** Adds an API that is served from now on to the permission check. */
  addSchema(schema: ServableSchema, hasResolver: boolean, state: { readonly isClosing: boolean }): void;
  /** Makes an API follow the life of the server, until the function returned is called. */
  attach(api: HostedApi): Unsubscribe;
}

/** What a host does with an API. */
export interface HostedApi {
  /** Its path, with its leading slash. */
  readonly path: string;
  /** Finds what is served on its path later. */
  readonly upgrades: UpgradeRouter;
  /** The server listens. Called soon when it does already, and each time that it begins to. */
  onListening(): void;
  /** The server is torn down, and waits for the API. */
  teardown(): Promise<void>;
}
