import { setMaxListeners } from "node:events";
import { type ClusterClient, isCluster, type PlainClient } from "./client.js";
import { type Connections, connect, type Shard } from "./connect.js";
import { errorText, type FailureKind, failureKind, isMoved } from "./replies.js";
import type { Script, Scripts } from "./scripts.js";

/** How often the timer comes in the time that a command may take. */
const PERIODS = 5;

/** How a link is made. */
export interface LinkOptions {
  readonly client: PlainClient | ClusterClient;
  readonly prefix: string;
  readonly node: string;
  readonly scripts: Scripts;
  readonly timeoutMs: number;
  /** The connections of the link before, that Redis ends: it may still have commands of them that it has not run. */
  readonly earlier: readonly ConnectionId[];
}

/** How Redis names a connection. */
export interface ConnectionId {
  readonly id: string;
  readonly address: string;
}

/** Takes an error of the client, and what it means. */
export type OnError = (error: unknown, kind: FailureKind) => void;

/**
 * One set of connections to Redis, for commands and for subscriptions. When one of them fails, or a command is not
 * answered in time, all are given up: `lost` resolves with a sentence, and what is under way fails.
 */
export class Link {
  readonly lost: Promise<string>;
  /** Names its connections for commands, once it is open. */
  connectionIds: readonly ConnectionId[] = [];
  /** Whether messages of other channels than the probe's have arrived since the probe has looked. */
  hasReceived = false;
  readonly #options: LinkOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #clients = new Set<{ destroy(): void }>();
  readonly #abort = new AbortController();
  #connections: Connections | undefined;
  #isLost = false;
  #resolveLost: (reason: string) => void = () => {};
  // One timer for all commands: those sent between two of its calls have one counter of what is not answered yet.
  readonly #unanswered: number[] = Array(PERIODS + 1).fill(0);
  #period = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.lost = new Promise((resolve) => {
      this.#resolveLost = resolve;
    });
    setMaxListeners(0, this.#abort.signal);
    // What has arrived while this process was busy is read before an immediate runs.
    this.#timer = setInterval(() => setImmediate(() => this.#endPeriod()), options.timeoutMs / PERIODS);
    this.#timer.unref();
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  /** Whether commands can be sent. */
  get isOpen(): boolean {
    return this.#connections !== undefined && !this.#isLost;
  }

  get shards(): readonly Shard[] {
    return this.#connections!.shards;
  }

  /** The connection that has a channel. */
  shardOf(channel: string): Promise<Shard> {
    return this.#connections!.shardOf(channel);
  }

  /** Connects, and gives the scripts to Redis. Rejects when the link is lost before it is open. */
  async open(): Promise<void> {
    const opened = this.#connect().catch((error) => this.lose(`Redis cannot be reached: ${errorText(error)}`));
    await this.track(Promise.race([opened, this.lost]));
    if (this.#isLost) throw new Error(await this.lost);
  }

  /** Gives the connections up. */
  lose(reason: string): void {
    if (this.#isLost) return;
    this.#isLost = true;
    clearInterval(this.#timer);
    this.#resolveLost(reason);
    for (const client of this.#clients) destroy(client);
    this.#abort.abort();
  }

  /** Sends a command to the node that has the key, and calls one of the functions, which must not throw. */
  send(key: string, args: readonly string[], onReply: (reply: unknown) => void, onError: OnError): void {
    const period = this.#count();
    this.#connections!.send(key, args).then(
      (reply) => {
        this.#unanswered[period]!--;
        onReply(reply);
      },
      (error) => {
        this.#unanswered[period]!--;
        const kind = failureKind(error);
        if (kind === "lost") this.lose(`a command of Redis failed: ${errorText(error)}`);
        if (kind === "elsewhere") this.lose(this.#whyElsewhere(errorText(error)));
        onError(error, kind);
      },
    );
  }

  /** Runs a script; the arguments begin with the number of keys and the keys. */
  run(script: Script, args: readonly string[], onReply: (reply: unknown) => void, onError: OnError): void {
    const key = args[1]!;
    this.send(key, ["EVALSHA", script.sha, ...args], onReply, (error, kind) => {
      if (kind === "noScript" && !this.#isLost) this.send(key, ["EVAL", script.text, ...args], onReply, onError);
      else onError(error, kind);
    });
  }

  /** Like `run`, for what is not done often. */
  ask(script: Script, ...args: readonly string[]): Promise<unknown> {
    return new Promise((resolve, reject) => this.run(script, args, resolve, reject));
  }

  /** Counts something else that Redis has to answer. */
  async track<T>(answer: Promise<T>): Promise<T> {
    const period = this.#count();
    try {
      return await answer;
    } finally {
      this.#unanswered[period]!--;
    }
  }

  async #connect(): Promise<void> {
    const { client, prefix, node, scripts, earlier } = this.#options;
    const connections = await connect({
      client,
      prefix,
      node,
      signal: this.#abort.signal,
      onLost: (error) => {
        const text = errorText(error);
        this.lose(this.#connections ? `the connection to Redis is lost: ${text}` : `Redis cannot be reached: ${text}`);
      },
      onClient: (made) => {
        if (this.#isLost) throw new Error("it was given up");
        this.#clients.add(made);
      },
    });
    const ids: ConnectionId[] = [];
    await Promise.all(
      connections.commandClients.map(async (commands) => {
        // Each may be forbidden to this user, and is done without then.
        const send = (...args: string[]) => commands.sendCommand(args).catch(() => undefined);
        for (const { id, address } of earlier) void send("CLIENT", "KILL", "ID", id, "ADDR", address);
        for (const { text } of scripts.all) void send("SCRIPT", "LOAD", text);
        const [, id, address] = /^id=(\d+) addr=(\S+)/.exec(String(await send("CLIENT", "INFO"))) ?? [];
        if (id && address) ids.push({ id, address });
      }),
    );
    this.connectionIds = ids;
    this.#connections = connections;
  }

  #whyElsewhere(text: string): string {
    if (!isMoved(text)) return `Redis takes no writes: ${text}`;
    if (isCluster(this.#options.client)) return `the cluster has another shape: ${text}`;
    return "this is a cluster: give redisBus a client made by createCluster";
  }

  /** Counts a command that is sent now. Returns where it is counted. */
  #count(): number {
    this.#unanswered[this.#period]!++;
    return this.#period;
  }

  #endPeriod(): void {
    const oldest = (this.#period + 1) % this.#unanswered.length;
    if (this.#unanswered[oldest]! > 0) this.lose(`Redis has not answered for ${this.#options.timeoutMs} ms`);
    else this.#period = oldest;
  }
}

function destroy(client: { destroy(): void }): void {
  try {
    client.destroy();
  } catch {
    // It is closed already.
  }
}
