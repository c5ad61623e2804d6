import { INSPECTED, type InspectedServer, type InspectedTransport } from "../api/inspect.js";

/** A client, as far as it is needed here: what `createClient` returns. */
export interface InspectableClient {
  /** Where the client keeps its latest transport. */
  readonly incoming: object;
  /** Only clients have it. */
  forceReconnect(): unknown;
}

/** A server, as far as it is needed here: what `startServer` returns, or a `GGSocketServer`. */
export interface InspectableServer {
  /** The API's name. */
  readonly apiName: string;
  /** How many connections it has. */
  readonly connectionCount: number;
}

/** A raw socket, as far as it is needed here: a `GGSocket`. */
export interface InspectableSocket {
  /** Whether messages can be sent. */
  readonly isOpen: boolean;
  /** How many requests wait for their reply. */
  readonly pendingRequestCount: number;
}

/** What can be inspected. */
export type GGInspectable = InspectableClient | InspectableServer | InspectableSocket;

type Found = (transport: InspectedTransport, serverId?: string) => void;

/** What can be known of a target before there is a connection. */
export interface Target {
  readonly server?: InspectedServer;
  /** Calls back for each connection that there is, and for each new one, until the function returned is called. */
  follow(found: Found): () => void;
}

/** @throws TypeError when there is nothing to inspect */
export function targetOf(inspectable: GGInspectable): Target {
  const shown: unknown = memberOf(inspectable, INSPECTED);
  if (isServer(shown)) return { server: shown, follow: (found) => shown.tap(found) };
  if (shown)
    return {
      follow(found) {
        found(shown as InspectedTransport);
        return () => {};
      },
    };
  const { incoming, forceReconnect } = Object(inspectable) as Partial<InspectableClient>;
  if (incoming && typeof forceReconnect === "function") return { follow: (found) => followClient(incoming, found) };
  throw new TypeError(
    "inspect: give it a client, what startServer() returned, or a GGSocket, of a version of @grest-ts/websocket that has inspect",
  );
}

function isServer(shown: unknown): shown is InspectedServer {
  return typeof (shown as Partial<InspectedServer> | undefined)?.tap === "function";
}

/** The member, where clients keep their latest transport. */
const LATEST = "transport";

/** Those who follow a client, by the setter that is in the place of its member meanwhile. */
const followers = new WeakMap<object, Set<Found>>();

function followClient(incoming: object, found: Found): () => void {
  let all = followersOf(incoming);
  if (!all) {
    const added = new Set<Found>();
    all = added;
    const former = Object.getOwnPropertyDescriptor(incoming, LATEST);
    let latest: unknown = former?.value;
    const set = (transport: InspectedTransport) => {
      latest = transport;
      for (const one of [...added]) one(transport);
    };
    followers.set(set, added);
    const restored = () => ({ enumerable: true, writable: true, configurable: true, ...former, value: latest });
    restorers.set(added, () => {
      if (former || latest) Object.defineProperty(incoming, LATEST, restored());
      else Reflect.deleteProperty(incoming, LATEST);
    });
    Object.defineProperty(incoming, LATEST, {
      get: () => latest,
      set,
      configurable: true,
      enumerable: former?.enumerable ?? true,
    });
  }
  const joined = all;
  // A function of its own: the same may follow twice.
  const own: Found = (transport) => found(transport);
  joined.add(own);
  const latest = memberOf(incoming, LATEST);
  if (latest) own(latest as InspectedTransport);
  return () => {
    if (joined.delete(own) && joined.size === 0) restorers.get(joined)?.();
  };
}

const restorers = new WeakMap<Set<Found>, () => void>();

function followersOf(incoming: object): Set<Found> | undefined {
  const { set } = Object.getOwnPropertyDescriptor(incoming, LATEST) ?? {};
  return set && followers.get(set);
}

/**
 * The value of a member by its descriptor, along the prototypes: what proxies of state libraries return as a member is a
 * proxy too, behind which a transport does not work.
 */
function memberOf(object: object, name: PropertyKey): unknown {
  for (let level: object | null = Object(object); level; level = Object.getPrototypeOf(level)) {
    const descriptor = Object.getOwnPropertyDescriptor(level, name);
    if (descriptor) return descriptor.get ? descriptor.get.call(object) : descriptor.value;
  }
  return undefined;
}
