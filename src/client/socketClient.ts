import { GGContext, GGContextStore } from "@grest-ts/context";
import type {
  GGWebSocketClientConfig,
  GGWebSocketCloseReason,
  GGWebSocketDisconnectReason,
  GGWebSocketTarget,
} from "../contract/client.js";
import { GG_WS_CONNECTION } from "../contract/contextKeys.js";
import { defaultLogger } from "../contract/logger.js";
import type { SchemaDefinition } from "../contract/schema.js";
import { clean } from "../socket/compiledMethod.js";
import { Connection } from "../socket/connection.js";
import { CALL_TIMEOUT, type SocketEndpoint } from "../socket/endpoint.js";
import { guarded } from "../socket/guarded.js";
import { Handlers } from "../socket/handlers.js";
import { Heartbeat } from "../socket/heartbeat.js";
import { tablesOf } from "../socket/methodTable.js";
import { type AnyError, invalidArguments, serverError } from "../socket/outcome.js";
import { type Caller, type OutgoingMethods, outgoingClass } from "../socket/outgoing.js";
import { nativeTransport } from "../transport/native.js";
import { connect, prepareHandshake } from "./connect.js";
import type { ClientPlatform } from "./platform.js";
import { ReconnectPolicy } from "./reconnect.js";
import { type Session, startSession } from "./session.js";
import { socketUrl } from "./url.js";

/** What every client can do; who does not reconnect cannot be sent away. */
const CAPABILITIES = ["batch", "alive", "cancel"];

type Setup = (ends: SocketClient) => unknown;

/** A client with its types erased; `GGWebSocketClient` says what each member does. */
export interface SocketClient {
  readonly incoming: { on(handlers: object): void };
  readonly outgoing: OutgoingMethods;
  readonly isConnected: boolean;
  connect(setup?: Setup): Promise<void>;
  disconnect(): Promise<void>;
  close(): void;
  forceReconnect(): Promise<void>;
  onDisconnect(callback: (reason: GGWebSocketDisconnectReason) => void): SocketClient;
  onClose(callback: (reason: GGWebSocketCloseReason, error?: AnyError) => void): SocketClient;
  onError(callback: (error: Error) => void): SocketClient;
}

/** Makes a client of one API: handlers and callbacks, which outlive connections, and the session that makes these. */
export function socketClient(
  schema: SchemaDefinition,
  config: GGWebSocketClientConfig<unknown>,
  platform: ClientPlatform,
): SocketClient {
  const { name: apiName, path, queryValidator } = schema;
  const { logger = defaultLogger, reconnect, timeout = CALL_TIMEOUT, webSocket: Native } = config;
  const { clientToServer, serverToClient, errors } = tablesOf(schema);
  const handlers = new Handlers();
  const setups = new Set<Setup>();
  const onDisconnect: ((reason: GGWebSocketDisconnectReason) => void)[] = [];
  const onClose: ((reason: GGWebSocketCloseReason, error?: AnyError) => void)[] = [];
  const onError: ((error: Error) => void)[] = [];
  let session: Session | undefined;
  let heartbeat: Heartbeat | undefined;

  const call: Caller["call"] = (method, data, options) => {
    const connection = session?.connection;
    if (connection?.isOpen) return connection.calls.call(method, data, options);
    const why = `WebSocket client is ${stateOf(session)} connect() first. (${method.path} was not sent)`;
    return Promise.resolve(serverError(why));
  };

  const client: SocketClient = {
    incoming: {
      on(added) {
        handlers.add(added);
        session?.connection?.inbox.deliverSoon();
      },
    },
    outgoing: new (outgoingClass(clientToServer))({ call }),
    get isConnected() {
      return session?.connection?.isOpen ?? false;
    },
    async connect(setup) {
      if (!session || session.isEnding) {
        setups.clear();
        session = beginSession();
      }
      if (setup && !setups.has(setup)) {
        setups.add(setup);
        if (client.isConnected) await setup(client);
      }
      await session.ready;
    },
    async forceReconnect() {
      session?.reconnectNow();
      await client.connect();
    },
    async disconnect() {
      session?.leave();
      await session?.connection?.finish();
    },
    close() {
      session?.leave();
      session?.connection?.close();
    },
    onDisconnect: listen(onDisconnect),
    onClose: listen(onClose),
    onError: listen(onError),
  };
  return client;

  function listen<T>(callbacks: T[]): (callback: T) => SocketClient {
    return (callback) => {
      callbacks.push(callback);
      return client;
    };
  }

  function beginSession(): Session {
    // Everything of the program runs as the caller of connect() would have run it, whatever the event that led to it.
    const scope = platform.captureScope();
    const endpoint: SocketEndpoint = { apiName, table: serverToClient, logger, timeout, scope };
    return startSession({
      apiName,
      policy: reconnect ? new ReconnectPolicy(Object(reconnect)) : undefined,
      open: (onOpen, signal) => open(endpoint, onOpen, signal),
      onWake: (callback, signal) =>
        platform.onWake(() => {
          heartbeat?.look();
          callback();
        }, signal),
      onDisconnect(reason) {
        for (const callback of onDisconnect) guarded(endpoint, () => callback(reason));
      },
      onEnd(reason, error) {
        for (const callback of onClose) guarded(endpoint, () => callback(reason, error));
      },
    });
  }

  async function open(
    endpoint: SocketEndpoint,
    onOpen: (connection: Connection) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { scope } = endpoint;
    const target: GGWebSocketTarget<unknown> = { ...config, ...(await scope(() => config.beforeConnect?.())) };
    const base = target.url === undefined ? await platform.discover(apiName) : target.url || platform.pageOrigin();
    if (!base) throw serverError(`${apiName}: url "" means the page's own origin, and there is no page here`);
    const middlewares = [...schema.middlewares, ...(target.middlewares ?? [])];
    const { headers, queryArgs } = scope(() => prepareHandshake(middlewares, checkedQuery(target.query)));
    const { inbox } = await connect({
      apiName,
      url: socketUrl(base, path, queryArgs),
      headers,
      knownErrors: errors,
      capabilities: config.capabilities ?? (reconnect ? [...CAPABILITIES, "drain"] : CAPABILITIES),
      signal,
      dial: Native ? (url) => nativeTransport(new Native(url)) : platform.dial,
      accept(transport, agreed) {
        const context = scope(() => new GGContext("ws-client-connection", GGContextStore.tryGetContext()));
        context.set(GG_WS_CONNECTION, { path: base });
        const connection = new Connection(transport, endpoint, context, handlers, agreed);
        connection.errorCallbacks = onError;
        const [intervalMs, timeoutMs] = agreed.get("alive")?.split(",").map(Number) ?? [];
        const pulse = new Heartbeat(intervalMs, timeoutMs);
        heartbeat = pulse;
        pulse.add(connection);
        connection.onClose(() => pulse.delete(connection));
        onOpen(connection);
        return connection;
      },
    });
    for (const setup of setups) await scope(() => setup(client));
    inbox.expectNoMoreHandlers();
  }

  function checkedQuery(query: unknown): object | undefined {
    return (queryValidator ? clean(queryValidator, query ?? {}, invalidArguments) : query) as object | undefined;
  }
}

function stateOf(session: Session | undefined): string {
  if (!session || session.isEnding) return "not connected. Call";
  return `${session.wasConnected ? "reconnecting" : "still connecting"}. Await`;
}
