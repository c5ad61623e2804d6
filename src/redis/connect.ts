import { type ClusterClient, isCluster, type PlainClient, type PubSubListener } from "./client.js";
import { probeChannel } from "./keys.js";

/** A connection for subscriptions; a cluster has one for each of its masters. */
export interface Shard {
  /** A channel of this node alone that it has. */
  readonly probe: string;
  subscribe(channels: readonly string[], listener: PubSubListener): Promise<void>;
  unsubscribe(channels: readonly string[], listener: PubSubListener): Promise<void>;
}

/** The connections to one Redis or cluster. They do not reconnect: after a failure all are made anew, see `Link`. */
export interface Connections {
  readonly shards: readonly Shard[];
  /** The clients that commands go through. */
  readonly commandClients: readonly PlainClient[];
  /** Sends a command to the node that has the key. */
  send(key: string, args: readonly string[]): Promise<unknown>;
  /** The one that has a channel. Rejects when there is none: the cluster has another shape by now. */
  shardOf(channel: string): Promise<Shard>;
}

/** How connections are made. */
export interface ConnectOptions {
  readonly client: PlainClient | ClusterClient;
  readonly prefix: string;
  readonly node: string;
  /** A connection has failed. Is called several times. */
  onLost(error: unknown): void;
  /** Ends all connections, also those that are being made: a client that is destroyed lets go of them only once they are. */
  readonly signal: AbortSignal;
  /** Takes each client before it connects, or throws. What takes it destroys it at the end. */
  onClient(client: { destroy(): void }): void;
}

/** How many names are tried until each master of a cluster has a probe. */
const MAX_PROBE_NAMES = 20_000;

/** How many channels one command names. */
const CHANNELS_PER_COMMAND = 1_000;

/** The time-outs of the client take more time than all the rest; an error at once says more than a queue of its own. */
const CLIENT_OPTIONS = {
  commandOptions: { timeout: 0 },
  disableOfflineQueue: true,
  commandsQueueMaxLength: undefined,
  clientSideCache: undefined,
  emitInvalidate: false,
  readonly: false,
};

/** Nothing is closed for being idle, and nothing reconnects by itself. */
const SOCKET_OPTIONS = { reconnectStrategy: false, socketTimeout: undefined };

/** Connects. Rejects when one of the connections fails. */
export function connect(options: ConnectOptions): Promise<Connections> {
  return isCluster(options.client) ? connectCluster(options, options.client) : connectPlain(options, options.client);
}

async function connectPlain(options: ConnectOptions, client: PlainClient): Promise<Connections> {
  const { prefix, node } = options;
  const [commands, subscriber] = await Promise.all([open(options, client), open(options, client)]);
  const shard: Shard = {
    probe: probeChannel(prefix, node, 0),
    subscribe: (channels, listener) => inParts(channels, (part) => subscriber.subscribe(part, listener)),
    unsubscribe: (channels, listener) => inParts(channels, (part) => subscriber.unsubscribe(part, listener)),
  };
  return {
    shards: [shard],
    commandClients: [commands],
    send: (_key, args) => commands.sendCommand(args),
    shardOf: () => Promise.resolve(shard),
  };
}

async function connectCluster(options: ConnectOptions, client: ClusterClient): Promise<Connections> {
  const defaults = client._options?.defaults;
  const { commandOptions, clientSideCache, ...nodeOptions } = CLIENT_OPTIONS;
  const commands = client.duplicate({
    commandOptions,
    clientSideCache,
    minimizeConnections: false,
    useReplicas: false,
    defaults: {
      ...defaults,
      ...nodeOptions,
      commandOptions,
      socket: { ...defaults?.socket, ...SOCKET_OPTIONS, signal: options.signal },
    },
  });
  options.onClient(commands);
  // One of the nodes that it begins with may be away; `connect` rejects when all are.
  commands.on("error", () => {});
  commands.on("node-error", options.onLost);
  await commands.connect();
  const commandClients = await Promise.all(commands.masters.map((master) => commands.nodeClient(master)));
  const probes = await probeChannels(options, commands, commandClients.length);
  const shards = new Map(
    await Promise.all(
      commandClients.map(async (nodeClient): Promise<[PlainClient, Shard]> => {
        const subscriber = await open(options, nodeClient);
        // Its slot has moved: messages may be missed until it is subscribed where it is now.
        subscriber.on("sharded-channel-moved", () => options.onLost(new Error("a slot has moved")));
        return [nodeClient, shardOn(subscriber, probes.get(nodeClient) ?? "")];
      }),
    ),
  );
  return {
    shards: [...shards.values()],
    commandClients,
    send: (key, args) => commands.sendCommand(key, false, args),
    async shardOf(channel) {
      const shard = shards.get(await commands.getNodeClientForKey(channel));
      if (!shard) throw new Error("the cluster has other nodes");
      return shard;
    },
  };
}

function shardOn(subscriber: PlainClient, probe: string): Shard {
  // One command may only name channels of one slot.
  const each = async (channels: readonly string[], run: (channel: string) => Promise<void>) => {
    await Promise.all(channels.map(run));
  };
  return {
    probe,
    subscribe: (channels, listener) => each(channels, (channel) => subscriber.sSubscribe(channel, listener)),
    unsubscribe: (channels, listener) => each(channels, (channel) => subscriber.sUnsubscribe(channel, listener)),
  };
}

/** A probe for each master: names are tried until one belongs to it. */
async function probeChannels({ prefix, node }: ConnectOptions, cluster: ClusterClient, masters: number) {
  const probes = new Map<PlainClient, string>();
  for (let index = 0; index < MAX_PROBE_NAMES && probes.size < masters; index++) {
    const name = probeChannel(prefix, node, index);
    const client = await cluster.getNodeClientForKey(name);
    if (!probes.has(client)) probes.set(client, name);
  }
  return probes;
}

async function open(options: ConnectOptions, client: PlainClient): Promise<PlainClient> {
  const socket = { ...client.options?.socket, ...SOCKET_OPTIONS, signal: options.signal };
  const duplicate = client.duplicate({ ...CLIENT_OPTIONS, socket });
  options.onClient(duplicate);
  duplicate.on("error", options.onLost);
  await duplicate.connect();
  return duplicate;
}

async function inParts(channels: readonly string[], run: (part: readonly string[]) => Promise<void>): Promise<void> {
  const parts: Promise<void>[] = [];
  for (let start = 0; start < channels.length; start += CHANNELS_PER_COMMAND) {
    parts.push(run(channels.slice(start, start + CHANNELS_PER_COMMAND)));
  }
  await Promise.all(parts);
}
