import type { IncomingMessage, ServerResponse } from "node:http";
import { GGContext } from "@grest-ts/context";
import { GG_METRICS } from "@grest-ts/metrics";
import { BAD_REQUEST, ERROR, GGContractExecutor, type GGContractMethod, type OK, SERVER_ERROR } from "@grest-ts/schema";
import type { GGHttpRoute } from "../api/GGRpc.js";
import type { GGScopeResolver } from "../api/keys.js";
import type {
  GGHttpRequest,
  GGHttpResponse,
  GGHttpServerMiddleware,
  GGHttpTransportMiddleware,
} from "../api/middleware.js";
import { decodeQuery, parseQuery } from "../api/queryCodec.js";
import { readJsonBody } from "./body.js";
import { GGHttpMetrics } from "./GGHttpMetrics.js";
import { passGate } from "./permissionGate.js";
import { sendJson } from "./respond.js";
import type { GGHttpRouteHandler } from "./types.js";

const MAX_BODY_BYTES = 1024 * 1024;

/** One contract method being served. */
export interface ServedMethod {
  readonly api: string;
  readonly method: string;
  readonly contract: GGContractMethod;
  readonly route: GGHttpRoute;
  readonly handler: (input: unknown) => unknown;
  /** The schema's. */
  readonly transport: readonly GGHttpTransportMiddleware[];
  /** The registration's. */
  readonly middlewares: readonly GGHttpServerMiddleware[];
  readonly permissionResolver: GGScopeResolver | undefined;
}

type Result = OK | ERROR;

/** The route handler of a contract method. */
export function createApiRoute(served: ServedMethod): GGHttpRouteHandler {
  return (request, response) => new GGContext("http-request").run(() => answer(served, request, response));
}

async function answer(served: ServedMethod, message: IncomingMessage, response: ServerResponse): Promise<void> {
  const start = performance.now();
  const result = await execute(served, message);
  const { api, method } = served;
  if (GG_METRICS.has()) {
    GGHttpMetrics.requests.inc(1, { api, method, result: result.type });
    GGHttpMetrics.requestDuration.observe(performance.now() - start, { api, method });
  }

  const meta: GGHttpResponse = { status: result.success ? 200 : result.statusCode, headers: {} };
  for (const middleware of served.transport) middleware.updateResponse?.(meta);
  sendJson(response, meta.status, result, meta.headers);
}

async function execute(served: ServedMethod, message: IncomingMessage): Promise<Result> {
  let result: Result;
  try {
    const request = toRequest(message);
    for (const middleware of served.transport) middleware.parseRequest?.(request);
    for (const middleware of served.middlewares) await middleware.process?.();
    // Before the body is parsed, so that a caller without permission causes no parsing.
    await passGate(served.contract.permission, served.permissionResolver);
    const input = await readInput(served.route, request, message);
    result = await GGContractExecutor.call(served.contract, input, {}, served.handler);
  } catch (error) {
    result = ERROR.fromUnknown(error);
  }
  if (SERVER_ERROR.is(result)) logFailure(served, result);
  return result;
}

async function readInput(route: GGHttpRoute, request: GGHttpRequest, message: IncomingMessage): Promise<unknown> {
  if (route.method !== "GET") return readJsonBody(message, MAX_BODY_BYTES);
  try {
    return decodeQuery(request.queryArgs ?? {});
  } catch {
    throw new BAD_REQUEST({ displayMessage: "A query argument is not valid JSON" });
  }
}

function toRequest(message: IncomingMessage): GGHttpRequest {
  const url = message.url ?? "";
  const at = url.indexOf("?");
  return {
    headers: { ...message.headers } as Record<string, string | string[]>,
    queryArgs: at < 0 ? {} : parseQuery(url.slice(at + 1)),
  };
}

/** Logs the original error under the reference that the caller receives. */
function logFailure(served: ServedMethod, error: ERROR): void {
  const { originalError, ...more } = error.getDebugContext() ?? {};
  console.error(`GGHttp: ${served.api}.${served.method} failed [${error.context?.ref}]`, originalError ?? more);
}
