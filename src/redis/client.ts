// The parts of node-redis that are used, as types of our own: they fit its clients whatever modules these have, and the
// declarations of this package do not need that package.

/** A client of node-redis for a single Redis, made by `createClient` and not necessarily connected. */
export interface GGRedisClient {
  /** Makes another client with the same options. */
  duplicate(): object;
  /** Sends a command. */
  sendCommand(args: readonly string[]): Promise<unknown>;
  /** Counts the connections that it has had. */
  readonly socketEpoch: number;
}

/** A client of node-redis for a cluster, made by `createCluster` and not necessarily connected. */
export interface GGRedisCluster {
  /** Makes another client with the same options. */
  duplicate(): object;
  /** Sends a command to the node that has a key. */
  sendCommand(firstKey: string | undefined, isReadonly: boolean | undefined, args: string[]): Promise<unknown>;
  /** The nodes that write. */
  readonly masters: readonly object[];
}

/** Gets messages of pub/sub. */
export type PubSubListener = (message: string, channel: string) => void;

/** What this package uses of a client. */
export interface PlainClient {
  readonly options?: Readonly<Record<string, unknown>> & { readonly socket?: object };
  duplicate(overrides: object): PlainClient;
  connect(): Promise<unknown>;
  destroy(): void;
  on(event: string, listener: (error?: unknown) => void): unknown;
  sendCommand(args: readonly string[]): Promise<unknown>;
  subscribe(channels: readonly string[], listener: PubSubListener): Promise<void>;
  unsubscribe(channels: readonly string[], listener: PubSubListener): Promise<void>;
  sSubscribe(channel: string, listener: PubSubListener): Promise<void>;
  sUnsubscribe(channel: string, listener: PubSubListener): Promise<void>;
}

/** What this package uses of a cluster. */
export interface ClusterClient {
  readonly _options?: { readonly defaults?: { readonly socket?: object } };
  readonly masters: readonly object[];
  duplicate(overrides: object): ClusterClient;
  connect(): Promise<unknown>;
  destroy(): void;
  on(event: string, listener: (error?: unknown) => void): unknown;
  sendCommand(key: string, isReadonly: boolean, args: readonly string[]): Promise<unknown>;
  nodeClient(node: object): Promise<PlainClient>;
  getNodeClientForKey(key: string): Promise<PlainClient>;
}

/** The number of the database that a client uses; a cluster has one only. */
export function databaseOf(client: PlainClient | ClusterClient): number {
  return isCluster(client) ? 0 : Number(client.options?.database ?? 0);
}

/** Whether it is a client for a cluster. */
export function isCluster(client: object): client is ClusterClient {
  return "masters" in client && "getNodeClientForKey" in client;
}

/** Whether it is a client for a single Redis. */
export function isPlainClient(client: object): client is PlainClient {
  return "socketEpoch" in client && "duplicate" in client && "sSubscribe" in client;
}
