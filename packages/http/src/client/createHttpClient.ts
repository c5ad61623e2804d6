import {
  type ERROR,
  type GGContractClient,
  type GGContractMethod,
  type GGContractMethods,
  GGPromise,
} from "@grest-ts/schema";
import type { GGHttpSchema } from "../api/GGHttpSchema.js";
import { joinPath } from "../api/GGRpc.js";
import { sendRequest } from "./sendRequest.js";

/** Options of an HTTP client. */
export interface GGHttpClientConfig {
  /** Scheme, host and port of the service. Left out in a browser: the page's own origin. */
  readonly url?: string;
  /** How long a call may take, in milliseconds. Default 15,000. */
  readonly timeout?: number;
  /** Whether inputs and responses stay unchecked. */
  readonly noValidation?: boolean;
}

const DEFAULT_TIMEOUT_MS = 15_000;

/** Makes the client of a schema. */
export function createHttpClient<M extends GGContractMethods>(
  schema: GGHttpSchema<M>,
  config: GGHttpClientConfig = {},
): GGContractClient<M> {
  const base = (config.url ?? "").replace(/\/+$/, "");
  const { timeout = DEFAULT_TIMEOUT_MS, noValidation = false } = config;
  const middlewares = schema.apiMiddlewares;
  const client: Record<string, (input?: unknown) => GGPromise<unknown, ERROR>> = {};

  for (const [name, contract] of Object.entries<GGContractMethod>(schema.contract.methods)) {
    const route = schema.routes[name];
    if (route === undefined) throw new Error(`Route missing for ${schema.name}.${name}`);
    const url = base + joinPath(schema.pathPrefix, route.path);

    client[name] = (input) =>
      new GGPromise<unknown, ERROR>(sendRequest({ contract, route, url, timeout, middlewares, input }, noValidation));
  }
  return Object.freeze(client) as unknown as GGContractClient<M>;
}
