import { INSPECTED, type InspectedServer, type InspectedTransport } from "../api/inspect.js";

/** A client, as far as it is needed here: what `createClient` returns. */
export interface InspectableClient {
  /** Only what is behind it is looked at. */
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
  const holder = incoming && typeof forceReconnect === "function" ? holderOf(incoming) : undefined;
  if (holder) return { follow: (found) => followClient(holder, found) };
  throw new TypeError(
    "inspect: give it a client, what startServer() returned, or a GGSocket, of a version of @grest-ts/websocket that has inspect",
  );
}

function isServer(shown: unknown): shown is InspectedServer {
  return typeof (shown as Partial<InspectedServer> | undefined)?.tap === "function";
}

/** The member, where clients keep their latest transport. */
const LATEST = "transport";

/** The last prototype of `incoming` but that of all objects, where a client of a version with inspect has the member alone. */
function holderOf(incoming: object): object | undefined {
  let [level, next] = [incoming, Object.getPrototypeOf(incoming) as object | null];
  while (next && Object.getPrototypeOf(next)) [level, next] = [next, Object.getPrototypeOf(next) as object | null];
  return level !== incoming && Reflect.ownKeys(level).every((name) => name === LATEST) ? level : undefined;
}

/** What is set to a new transport is given to these. */
interface Followers extends Set<Found> {
  /** Puts the former member back. */
  restore(): void;
}

/** The member of a setter with those who follow a client: all copies of this package in a program share them. */
const FOLLOWERS = Symbol.for("@grest-ts/websocket/inspect/followers");

function followClient(holder: object, found: Found): () => void {
  const followers = followersOf(holder) ?? replaceMember(holder);
  // A function of its own: the same may follow twice.
  const own: Found = (transport) => found(transport);
  followers.add(own);
  const latest = memberOf(holder, LATEST);
  if (latest) own(latest as InspectedTransport);
  return () => {
    if (followers.delete(own) && followers.size === 0) followers.restore();
  };
}

function followersOf(holder: object): Followers | undefined {
  const { set } = Object.getOwnPropertyDescriptor(holder, LATEST) ?? {};
  return (set as { [FOLLOWERS]?: Followers } | undefined)?.[FOLLOWERS];
}

/** Puts a setter in the place of the client's member. */
function replaceMember(holder: object): Followers {
  let latest = memberOf(holder, LATEST);
  const restore = () => {
    // What is there by now may be another's.
    if (followersOf(holder) !== followers) return;
    if (latest)
      Object.defineProperty(holder, LATEST, { value: latest, enumerable: true, writable: true, configurable: true });
    else Reflect.deleteProperty(holder, LATEST);
  };
  const followers: Followers = Object.assign(new Set<Found>(), { restore });
  const set = (transport: InspectedTransport) => {
    latest = transport;
    for (const follow of [...followers]) follow(transport);
  };
  Object.defineProperty(holder, LATEST, {
    get: () => latest,
    set: Object.assign(set, { [FOLLOWERS]: followers }),
    configurable: true,
    enumerable: true,
  });
  return followers;
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
