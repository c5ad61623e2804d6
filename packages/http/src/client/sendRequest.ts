import { ERROR, type ERROR_JSON, GGContractExecutor, type GGContractMethod, OK, SERVER_ERROR } from "@grest-ts/schema";
import type { GGHttpRoute } from "../api/GGRpc.js";
import type { GGHttpRequest, GGHttpResponse, GGHttpTransportMiddleware } from "../api/middleware.js";
import { encodeQuery, formatQuery } from "../api/queryCodec.js";

/** One call, ready to be sent. */
export interface PendingCall {
  readonly contract: GGContractMethod;
  readonly route: GGHttpRoute;
  readonly url: string;
  readonly timeout: number;
  readonly middlewares: readonly GGHttpTransportMiddleware[];
  readonly input: unknown;
}

/** Sends a call and resolves to its result. Never rejects. */
export async function sendRequest(call: PendingCall, noValidation: boolean): Promise<OK | ERROR> {
  try {
    const request: GGHttpRequest = { headers: {}, queryArgs: {} };
    // Before the first await, where the caller's context ends in a browser.
    for (const middleware of call.middlewares) middleware.updateRequest?.(request);
    return await GGContractExecutor.call(call.contract, call.input, { noValidation }, (input) =>
      exchange(call, request, input),
    );
  } catch (error) {
    return ERROR.fromUnknown(error);
  }
}

async function exchange(call: PendingCall, request: GGHttpRequest, input: unknown): Promise<OK | ERROR_JSON> {
  if (call.url.startsWith("/") && typeof location === "undefined") {
    throw new SERVER_ERROR({ displayMessage: "The client has no url: outside a browser, createClient needs one" });
  }
  const inQuery = call.route.method === "GET";
  const query = { ...request.queryArgs, ...(inQuery ? encodeQuery(input) : {}) };
  const headers = toHeaders(request.headers);
  const hasBody = !inQuery && input !== undefined;
  if (hasBody) headers.set("content-type", "application/json");

  let status: number;
  let text: string;
  try {
    const response = await fetch(call.url + formatQuery(query), {
      method: call.route.method,
      headers,
      body: hasBody ? JSON.stringify(input) : null,
      signal: AbortSignal.timeout(call.timeout),
    });
    status = response.status;
    text = await response.text();
    const seen: GGHttpResponse = { status, headers: Object.fromEntries(response.headers) };
    for (const middleware of call.middlewares) middleware.parseResponse?.(seen);
  } catch (error) {
    if (error instanceof ERROR) throw error;
    const timedOut = error instanceof DOMException && error.name === "TimeoutError";
    throw new SERVER_ERROR({
      displayMessage: timedOut ? "Request timeout" : "The server could not be reached",
      originalError: error,
    });
  }

  const json = parseJson(text);
  if (OK.isJson(json) || ERROR.isJson(json)) return json;
  throw new SERVER_ERROR({ displayMessage: `Unexpected response (HTTP ${status})` });
}

function toHeaders(from: GGHttpRequest["headers"]): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(from ?? {})) {
    for (const item of [value].flat()) headers.append(name, item);
  }
  return headers;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
