import type { GGContext } from "@grest-ts/context";
import type {
  GGWebSocketClientConfig,
  GGWebSocketCloseReason,
  GGWebSocketDisconnectReason,
  GGWebSocketTarget,
} from "../api/client.js";
import type { SchemaDefinition } from "../api/schema.js";
import { Connection } from "../connection/connection.js";
import { CALL_TIMEOUT, callbackFailed, runCallback, type SocketEndpoint } from "../connection/endpoint.js";
import { Heartbeat } from "../connection/heartbeat.js";
import { type HandlerObject, Handlers } from "../connection/methods/handlers.js";
import { tablesOf } from "../connection/methods/methodTable.js";
import { type AnyError, isThenable, serverError, thrownError } from "../connection/methods/outcome.js";
import { type Caller, type OutgoingMethods, outgoingMethods } from "../connection/methods/outgoing.js";
import { Outbox } from "../connection/outbox.js";
import { batchBytes, CAPABILITIES } from "../protocol/capabilities.js";
import { connect, prepareHandshake, readQuery } from "./connect.js";
import type { ClientPlatform } from "./platform/platform.js";
import { reconnectPolicy } from "./reconnect.js";
import { type Session, startSession } from "./session.js";
import { socketUrl } from "./url.js";

type Setup = (ends: SocketClient) => unknown;

/** A client with its types erased; `GGWebSocketClient` says what each member does. */
export interface SocketClient {
  readonly incoming: { on(handlers: HandlerObject): void };
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
  const { name: apiName } = schema;
  const { reconnect, timeout = CALL_TIMEOUT } = config;
  const { clientToServer, serverToClient, errors } = tablesOf(schema);
  const handlers = new Handlers();
  const setups = new Set<Setup>();
  const onDisconnect: ((reason: GGWebSocketDisconnectReason) => void)[] = [];
  const onClose: ((reason: GGWebSocketCloseReason, error?: AnyError) => void)[] = [];
  const onError: ((error: Error) => void)[] = [];
  let session: Session | undefined;
  let heartbeat: Heartbeat | undefined;
  /** Runs what `connect` was given, in the context of the latest connection. */
  let runSetup: (setup: Setup) => unknown;

  const call: Caller["call"] = (method, data, options) => {
    const connection = session?.currentConnection;
    if (connection?.isOpen) return connection.calls.call(method, data, options);
    return Promise.resolve(
      serverError(`${method.path} was not sent: the client is ${stateOf(session)} connect() first`),
    );
  };

  const client: SocketClient = {
    incoming: {
      on(added) {
        handlers.add(added);
        session?.currentConnection?.inbox.deliverSoon();
      },
    },
    outgoing: outgoingMethods(clientToServer, { call }),
    get isConnected() {
      return session?.currentConnection?.isOpen ?? false;
    },
    async connect(setup) {
      if (!session || session.isOver) {
        setups.clear();
        session = beginSession();
      }
      if (setup && !setups.has(setup)) {
        setups.add(setup);
        if (client.isConnected) await runSetup(setup);
      }
      const failure = await session.whenReady;
      if (failure) throw failure();
    },
    forceReconnect() {
      session?.reconnectNow();
      return client.connect();
    },
    async disconnect() {
      await session?.endSession()?.closeGracefully();
    },
    close() {
      session?.endSession()?.close();
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
    // The program's code runs in the scope of the caller of connect(), whatever event triggers it.
    const scope = platform.captureScope();
    const logger = platform.logger(config.logger, apiName, scope);
    const endpoint: SocketEndpoint = {
      apiName,
      methodTable: serverToClient,
      logger,
      timeout,
      asyncScope: scope,
      ...platform.endpoint,
    };
    /** The context of the latest attempt. */
    let context: GGContext;
    runSetup = (setup) => scope(() => context.run(() => setup(client)));
    const run = (name: string, callback: () => unknown) => runCallback(endpoint, context, name, callback);
    const notify = <T extends unknown[]>(name: string, callbacks: readonly ((...args: T) => void)[], ...args: T) => {
      for (const callback of callbacks) run(name, () => callback(...args));
    };
    return startSession({
      apiName,
      policy: reconnect ? reconnectPolicy(Object(reconnect), run) : undefined,
      onWake: (callback) =>
        platform.onWake(() => {
          heartbeat?.look();
          callback();
        }),
      onDisconnect: (reason) => notify("onDisconnect", onDisconnect, reason),
      onEnd: (reason, error) => notify("onClose", onClose, reason, error),
      async open({ onBegin, onOpen, onDrain }) {
        // What the program is asked for, for the log.
        let asked = "beforeConnect";
        try {
          const target: GGWebSocketTarget<unknown> = { ...config, ...(await scope(() => config.beforeConnect?.())) };
          const base = target.url || (await platform.locate(apiName, target.url));
          asked = "query";
          const query = readQuery(target.query, schema.queryValidator);
          asked = "updateHandshake";
          const middlewares = [...schema.middlewares, ...(target.middlewares ?? [])];
          const prepared = scope(() => prepareHandshake(platform, schema.path, middlewares, query));
          const handshake = isThenable(prepared) ? await prepared : prepared;
          context = handshake.context;
          const connection = await connect({
            apiName,
            url: socketUrl(base, schema.path, handshake.queryArgs),
            headers: handshake.headers,
            knownErrors: errors,
            // A client without `reconnect` must not offer `drain`: it would not reconnect.
            offered: config.capabilities ?? CAPABILITIES.filter((name) => reconnect || name !== "drain"),
            onBegin,
            dial: (url) => platform.dial(url, config.webSocket),
            onAccepted(transport, agreed) {
              const accepted = new Connection(
                new Outbox(transport, batchBytes(agreed)),
                endpoint,
                handshake.context,
                handlers,
                agreed,
                { onDrain, onError: (error) => notify("onError", onError, error) },
              );
              const pulse = new Heartbeat(
                ...(agreed.get("alive") ?? "").split(",").map((ms) => (+ms > 0 ? +ms : undefined)),
              );
              pulse.add(accepted);
              accepted.onClose(() => pulse.delete(accepted));
              heartbeat = pulse;
              onOpen(accepted);
              return accepted;
            },
          });
          asked = "setup";
          // A set-up that is added meanwhile runs at once.
          for (const setup of [...setups]) await runSetup(setup);
          connection.inbox.expectNoMoreHandlers();
          return connection;
        } catch (thrown) {
          const error = thrownError(thrown);
          if (error !== thrown) callbackFailed(endpoint, asked, thrown);
          throw error;
        }
      },
    });
  }
}

function stateOf(session: Session | undefined): string {
  if (!session || session.isOver) return "not connected: call";
  return `${session.wasConnected ? "re" : ""}connecting: await`;
}
