import { type GGContext, GGContextStore } from "@grest-ts/context";
import type { ClientState, GGWebSocketClientConfig } from "../api/client.js";
import type { SchemaDefinition } from "../api/schema.js";
import type { Unsubscribe } from "../api/unsubscribe.js";
import { Connection } from "../connection/connection.js";
import { CALL_TIMEOUT, callbackFailed, runCallback, type SocketEndpoint } from "../connection/endpoint.js";
import { Heartbeat } from "../connection/heartbeat.js";
import { type HandlerObject, Handlers } from "../connection/methods/handlers.js";
import { tablesOf } from "../connection/methods/methodTable.js";
import { type AnyError, serverError, thrownError } from "../connection/methods/outcome.js";
import { type Caller, type OutgoingMethods, outgoingMethods } from "../connection/methods/outgoing.js";
import { Outbox } from "../connection/outbox.js";
import { takenBackBy } from "../connection/takeBack.js";
import { batchBytes } from "../protocol/capabilities.js";
import type { Transport } from "../transport/transport.js";
import { type CallbackEntry, CallbackLists } from "./callbackLists.js";
import { attemptContext, connect, prepareHandshake, readQuery } from "./connect.js";
import { connectionError } from "./errors.js";
import type { ClientPlatform } from "./platform/platform.js";
import { reconnectPolicy } from "./reconnect.js";
import type { Resume } from "./resume.js";
import { type Session, type SessionCallbacks, startSession } from "./session.js";
import { socketUrl } from "./url.js";

/** Both directions, as a set-up gets them. */
type Ends = Pick<SocketClient, "incoming" | "outgoing">;
type Setup = (ends: Ends) => unknown;

/** What the methods of these names take. */
interface Callbacks extends SessionCallbacks {
  onConnect: Setup;
  onError(error: Error): void;
}

/** The methods, which return what takes a callback back, and which is the client as well. */
type Listening = { readonly [Name in keyof Callbacks]: (callback: Callbacks[Name]) => Unsubscribe & SocketClient };

/** An attempt to connect while the program's callbacks are a part of it: without a connection, or while that is set up. */
interface Attempt {
  readonly session: Session | undefined;
  connection?: Connection;
}

/** A client with its types erased; `GGWebSocketClient` says what each member does. */
export interface SocketClient extends Listening {
  readonly incoming: { on(handlers: HandlerObject): Unsubscribe; readonly __proto__?: object };
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
  given: ClientPlatform,
): SocketClient {
  const platform = (config.resume as Resume | undefined)?.begin(given) ?? given;
  const { name: apiName } = schema;
  const { reconnect, timeout = CALL_TIMEOUT } = config;
  const { clientToServer, serverToClient, errors } = tablesOf(schema);
  const handlers = new Handlers();
  const callbacks = new CallbackLists();
  /** The set-ups that last for a session. */
  const setups = new Set<Setup>();
  /** The attempts whose callbacks may be running, by their contexts. */
  const attempts = new Map<GGContext, Attempt>();
  const pulses = new Set<Heartbeat>();
  /** Where inspections look for the transport: behind `incoming`, which a program may freeze. */
  const latest: { transport?: Transport } = {};
  let session: Session | undefined;
  /** Runs a set-up in the context of a connection. */
  let setUp: (setup: Setup, ends: Ends, connection: Connection) => unknown;
  /** The error for a callback that has failed. Logs what is no error of the framework's, which would be lost, or all. */
  let failedCallback: (name: string, thrown: unknown, mustLog?: boolean) => AnyError;

  const call: Caller["call"] = (method, data, options) => {
    const connection = attemptOfCaller()?.connection ?? session?.currentConnection;
    if (connection?.isOpen) return connection.calls.call(method, data, options);
    return Promise.resolve(
      serverError(`${method.path} was not sent: the client is ${whatToDo(session)} connect() first`, "not-connected"),
    );
  };

  const client: SocketClient = {
    incoming: {
      __proto__: latest,
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
      // Its callbacks may connect anew.
      if (session?.isOver) session.concludeSession();
      if (!session || session.isOver) {
        setups.clear();
        session = beginSession();
        session.begin();
      }
      const joined = session;
      const own = attemptOfCaller();
      // What an attempt waits for, waiting for the attempt, would wait for itself.
      if (own && !own.connection)
        throw connectionError(apiName, "connect() waits for itself", { reason: "not-connected" });
      if (setup && !setups.has(setup)) {
        setups.add(setup);
        platform.checkSetups?.(setups.size);
        await setUpNow(setup).catch((thrown: unknown) => {
          setups.delete(setup);
          throw failedCallback("setup", thrown);
        });
      }
      if (own) return;
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
    onConnect: listen("onConnect", (setup) =>
      setUpNow(setup).catch((thrown: unknown) => failedCallback("setup", thrown, true)),
    ),
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
    const list = callbacks.of(name);
    return ((callback: Callbacks[Name]) => {
      const entry: CallbackEntry = [callback];
      list.add(entry);
      listening?.(callback);
      return takenBackBy(() => void list.delete(entry), client);
    }) as Listening[Name];
  }

  /** The attempt that the running code is a part of. */
  function attemptOfCaller(): Attempt | undefined {
    // Most calls come when there is none.
    let context = attempts.size > 0 ? GGContextStore.tryGetContext() : undefined;
    while (context && attempts.get(context)?.session !== session) context = context.parent;
    return context && attempts.get(context);
  }

  /** Runs a set-up for the connection that is there, if it is; its end is the end of the set-up. */
  async function setUpNow(setup: Setup): Promise<void> {
    const connection = session?.currentConnection;
    if (connection?.isOpen && !session?.isOver) {
      await Promise.race([setUp(setup, client, connection), connection.closed()]);
    }
  }

  function beginSession(): Session {
    // The program's code runs in the scope of the caller of connect(), whatever event triggers it.
    const scope = platform.captureScope();
    const endpoint: SocketEndpoint = {
      apiName,
      methodTable: serverToClient,
      logger: platform.logger(config.logger, apiName, scope),
      timeout,
      asyncScope: scope,
      ...platform.endpoint,
    };
    /** The context of the latest attempt. */
    let context = attemptContext(platform, schema.path);
    setUp = (setup, ends, connection) => scope(() => connection.context.run(() => setup(ends)));
    failedCallback = (name, thrown, mustLog) => {
      const error = thrownError(thrown);
      const isOwn = error === thrown;
      if (!isOwn || mustLog) callbackFailed(endpoint, name, thrown);
      return isOwn
        ? error
        : connectionError(apiName, `the ${name} callback failed`, { reason: "failed", cause: thrown });
    };
    const run = (name: string, callback: () => unknown) => runCallback(endpoint, context, name, callback);
    const notify = (...events: readonly (readonly [string, ...unknown[]])[]) => callbacks.notify(events, run);
    return startSession({
      apiName,
      policy: reconnect ? reconnectPolicy(Object(reconnect), run) : undefined,
      onWake: (callback) =>
        platform.onWake(() => {
          for (const pulse of pulses) pulse.look();
          callback();
        }),
      notify,
      async open({ onBegin, onOpen, onDrain }) {
        const own = scope(() => attemptContext(platform, schema.path));
        const attempt: Attempt = { session };
        attempts.set(own, attempt);
        // What the program is asked for, for the log.
        let asked = "beforeConnect";
        try {
          const given: object = Object(await scope(() => own.run(() => config.beforeConnect?.())));
          const target: GGWebSocketClientConfig<unknown> = {
            ...config,
            ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
          };
          const base = target.url || (await platform.locate(apiName, target.url));
          asked = "query";
          const query = readQuery(target.query, schema.queryValidator);
          asked = "updateHandshake";
          const middlewares = [...schema.middlewares, ...(target.middlewares ?? [])];
          const handshake = await scope(() => prepareHandshake(platform, own, middlewares, query));
          attempts.delete(own);
          context = own;
          const connection = await connect({
            apiName,
            url: socketUrl(base, schema.path, handshake.queryArgs),
            headers: handshake.headers,
            knownErrors: errors,
            // A client without `reconnect` must not offer `drain`: it would not reconnect.
            offered: config.capabilities ?? platform.offered.filter((name) => reconnect || name !== "drain"),
            onBegin,
            // In quotes, since pages have short names for other members.
            // biome-ignore lint/complexity/useLiteralKeys: see above
            dial: (url) => (latest["transport"] = platform.dial(url, target)),
            onAccepted(transport, agreed) {
              const accepted = new Connection(
                new Outbox(transport, batchBytes(agreed), config.maxOutboxBytes),
                endpoint,
                own,
                handlers,
                agreed,
                { onDrain, onError: (error) => notify(["onError", error]) },
              );
              const pulse = new Heartbeat(
                ...(agreed.get("alive") ?? "").split(",").map((ms) => (+ms > 0 ? +ms : undefined)),
              );
              pulses.add(pulse);
              pulse.add(accepted);
              accepted.onClose(() => {
                pulses.delete(pulse);
                pulse.delete(accepted);
              });
              onOpen(accepted);
              return accepted;
            },
          });
          asked = "setup";
          await setUpAll(connection, attempt);
          connection.inbox.expectNoMoreHandlers();
          return connection;
        } catch (thrown) {
          throw failedCallback(asked, thrown);
        } finally {
          attempts.delete(own);
        }
      },
    });
  }

  /** Runs all set-ups for a new connection, as long as it lasts. Those that are added meanwhile run at once. */
  async function setUpAll(connection: Connection, attempt: Attempt): Promise<void> {
    const { context } = connection;
    attempts.set(context, attempt);
    attempt.connection = connection;
    // Another connection may still serve; what a set-up calls goes to its own.
    const callHere: Caller["call"] = (...args) =>
      connection.isOpen && attempts.has(context) ? connection.calls.call(...args) : call(...args);
    const list = callbacks.of("onConnect");
    // Most connections have no set-up, and need no methods of their own.
    if (list.size + setups.size === 0) return;
    const ends: Ends = { incoming: client.incoming, outgoing: outgoingMethods(clientToServer, { call: callHere }) };
    for (const entry of [...list] as [Setup][])
      if (connection.isOpen && list.has(entry)) await setUp(entry[0], ends, connection);
    for (const setup of [...setups]) if (connection.isOpen && setups.has(setup)) await setUp(setup, ends, connection);
  }
}

function whatToDo(session: Session | undefined): string {
  return !session || session.isOver ? "not connected: call" : `${session.currentState}: await`;
}
