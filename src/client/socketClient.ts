import { GGContext, GGContextStore } from "@grest-ts/context";
import type { ClientState, GGWebSocketClientConfig } from "../api/client.js";
import type { SchemaDefinition } from "../api/schema.js";
import type { Unsubscribe } from "../api/unsubscribe.js";
import { Connection } from "../connection/connection.js";
import { CALL_TIMEOUT, callbackFailed, runCallback, type SocketEndpoint } from "../connection/endpoint.js";
import { Heartbeat } from "../connection/heartbeat.js";
import { type HandlerObject, Handlers } from "../connection/methods/handlers.js";
import { tablesOf } from "../connection/methods/methodTable.js";
import { isThenable, serverError, thrownError } from "../connection/methods/outcome.js";
import { type Caller, type OutgoingMethods, outgoingMethods } from "../connection/methods/outgoing.js";
import { Outbox } from "../connection/outbox.js";
import { takenBackBy } from "../connection/takeBack.js";
import { batchBytes, CAPABILITIES } from "../protocol/capabilities.js";
import { connect, prepareHandshake, readQuery } from "./connect.js";
import { connectionError } from "./errors.js";
import type { ClientPlatform } from "./platform/platform.js";
import { reconnectPolicy } from "./reconnect.js";
import { type Session, type SessionCallbacks, startSession } from "./session.js";
import { socketUrl } from "./url.js";

type Setup = (ends: SocketClient) => unknown;

/** What the methods of these names take. */
interface Callbacks extends SessionCallbacks {
  onConnect: Setup;
  onError(error: Error): void;
}

/** The methods, which return what takes a callback back, and which is the client as well. */
type Listening = { readonly [Name in keyof Callbacks]: (callback: Callbacks[Name]) => Unsubscribe & SocketClient };

type Notify = <Name extends keyof Callbacks>(name: Name, ...args: Parameters<Callbacks[Name]>) => void;

/** A client with its types erased; `GGWebSocketClient` says what each member does. */
export interface SocketClient extends Listening {
  readonly incoming: { on(handlers: HandlerObject): Unsubscribe };
  readonly outgoing: OutgoingMethods;
  readonly isConnected: boolean;
  readonly state: ClientState;
  connect(setup?: Setup): Promise<void>;
  disconnect(): Promise<void>;
  close(): void;
  forceReconnect(): Promise<void>;
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
  /** Each callback is in an array of its own, since it may be given twice. */
  const callbacks: { [Name in keyof Callbacks]?: Set<[Callbacks[Name]]> } = {};
  /** The set-ups that last for a session. */
  const setups = new Set<Setup>();
  let session: Session | undefined;
  let heartbeat: Heartbeat | undefined;
  /** Runs a set-up, in the context of the latest connection. */
  let runSetup: (setup: Setup) => unknown;
  /** The same for one that nothing waits for. */
  let runLateSetup: (setup: Setup) => unknown;
  /** That context, while the set-ups of an attempt run; `true` while `beforeConnect` is called. */
  let inside: GGContext | boolean = false;

  const call: Caller["call"] = (method, data, options) => {
    const connection = session?.currentConnection;
    if (connection?.isOpen) return connection.calls.call(method, data, options);
    return Promise.resolve(
      serverError(`${method.path} was not sent: the client is ${whatToDo(session)} connect() first`, "not-connected"),
    );
  };

  const client: SocketClient = {
    incoming: {
      on(added) {
        const takeBack = handlers.add(added);
        session?.currentConnection?.inbox.deliverSoon();
        return takeBack;
      },
    },
    outgoing: outgoingMethods(clientToServer, { call }),
    get isConnected() {
      return session?.currentConnection?.isOpen ?? false;
    },
    get state() {
      return session?.currentState ?? "idle";
    },
    async connect(setup) {
      if (!session || session.isOver) {
        setups.clear();
        session = beginSession();
        session.begin();
      }
      if (inside === true)
        throw connectionError(apiName, "beforeConnect waits for itself", { reason: "not-connected" });
      const joined = session;
      if (setup && !setups.has(setup)) {
        setups.add(setup);
        platform.checkSetups?.(setups.size);
        await setUpNow(setup);
      }
      // A set-up that waits for this would wait for itself.
      if (inside && inside === GGContextStore.tryGetContext()) return;
      const failure = await joined.whenReady;
      if (failure) throw failure();
    },
    forceReconnect() {
      session?.reconnectNow();
      return client.connect();
    },
    async disconnect() {
      await Promise.all(Array.from(session?.endSession() ?? [], (connection) => connection.closeGracefully()));
    },
    close() {
      for (const connection of session?.endSession() ?? []) connection.close();
    },
    onConnect: listen("onConnect", (setup) => client.isConnected && runLateSetup(setup)),
    onState: listen("onState"),
    onDisconnect: listen("onDisconnect"),
    onClose: listen("onClose"),
    onError: listen("onError"),
  };
  return client;

  function listen<Name extends keyof Callbacks>(
    name: Name,
    listening?: (callback: Callbacks[Name]) => unknown,
  ): Listening[Name] {
    const entries = new Set<[Callbacks[Name]]>();
    Object.assign(callbacks, { [name]: entries });
    return ((callback: Callbacks[Name]) => {
      const entry: [Callbacks[Name]] = [callback];
      entries.add(entry);
      listening?.(callback);
      return takenBackBy(() => void entries.delete(entry), client);
    }) as Listening[Name];
  }

  /** Runs a set-up for the connection that is there, if it is; its end is the end of the set-up. */
  async function setUpNow(setup: Setup): Promise<void> {
    const connection = session?.currentConnection;
    if (connection?.isOpen) await Promise.race([runSetup(setup), connection.closed()]);
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
    let context = new GGContext("ws-client-connection", GGContextStore.tryGetContext());
    runSetup = (setup) => scope(() => context.run(() => setup(client)));
    runLateSetup = (setup) => run("setup", () => setup(client));
    const run = (name: string, callback: () => unknown) => runCallback(endpoint, context, name, callback);
    const notify: Notify = (name, ...args) => {
      const entries = [...(callbacks[name] ?? [])] as [(...args: unknown[]) => void][];
      for (const [callback] of entries) run(name, () => callback(...args));
    };
    return startSession({
      apiName,
      policy: reconnect ? reconnectPolicy(Object(reconnect), run) : undefined,
      onWake: (callback) =>
        platform.onWake(() => {
          heartbeat?.look();
          callback();
        }),
      notify,
      async open({ onBegin, onOpen, onDrain }) {
        // What the program is asked for, for the log.
        let asked = "beforeConnect";
        try {
          inside = true;
          const pending = scope(() => config.beforeConnect?.());
          inside = false;
          const target: GGWebSocketClientConfig<unknown> = { ...config, ...(await pending) };
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
            dial: (url) => platform.dial(url, target),
            onAccepted(transport, agreed) {
              const accepted = new Connection(
                new Outbox(transport, batchBytes(agreed), config.maxOutboxBytes),
                endpoint,
                handshake.context,
                handlers,
                agreed,
                { onDrain, onError: (error) => notify("onError", error) },
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
          inside = context;
          // A set-up that is added meanwhile runs at once.
          for (const setup of [...[...(callbacks.onConnect ?? [])].flat(), ...setups]) await runSetup(setup);
          inside = false;
          connection.inbox.expectNoMoreHandlers();
          return connection;
        } catch (thrown) {
          inside = false;
          const error = thrownError(thrown);
          if (error !== thrown) callbackFailed(endpoint, asked, thrown);
          throw error;
        }
      },
    });
  }
}

function whatToDo(session: Session | undefined): string {
  return !session || session.isOver ? "not connected: call" : `${session.currentState}: await`;
}
