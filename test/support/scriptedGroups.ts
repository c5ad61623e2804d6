import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import { Queue } from "./queue.js";

/** What has happened in a group: a message, with a text unless it is not for the client, or the beginning of an epoch. */
export interface GroupEntry {
  readonly epoch: string;
  readonly offset: number;
  readonly text?: string;
  readonly isLoss?: boolean;
  /** It was forgotten by all servers when they went back. */
  isGone?: boolean;
}

/** All that has happened in a group, whether or not its servers still have it. */
export class GroupHistory {
  readonly entries: GroupEntry[] = [];
  /** Positions before this one cannot be recovered. */
  trimmedTo = 0;
  #epochs = 0;
  #wentBackAt = 1;
  #texts = 0;

  constructor(readonly name: string) {
    this.beginEpoch();
  }

  publish(isForClient: boolean): void {
    const { epoch, offset } = this.top;
    const text = `${this.name} ${++this.#texts}`;
    this.entries.push({ epoch, offset: offset + 1, ...(isForClient && { text }) });
  }

  beginEpoch(): void {
    this.trimmedTo = 0;
    this.entries.push({ epoch: `${this.name}-E${++this.#epochs}`, offset: 0, isLoss: true });
  }

  trim(): void {
    this.trimmedTo = this.top.offset;
  }

  /** The servers go back in time, and do not know it: offsets are used again. */
  goBack(): void {
    const { epoch, offset } = this.top;
    const top = Math.max(0, offset - 2);
    for (const entry of this.entries) entry.isGone ||= entry.epoch === epoch && entry.offset > top;
    this.entries.push({ epoch, offset: top, isLoss: true });
    this.#wentBackAt = this.entries.length;
  }

  /** How many entries each node has seen: none is there from before the servers went back. */
  get leastSeen(): number {
    return this.#wentBackAt;
  }

  get top(): GroupEntry {
    return this.entries.at(-1) ?? { epoch: "", offset: 0 };
  }
}

interface Membership {
  readonly alias: string;
  /** How many entries its node has seen. */
  seen: number;
}

/** The server's end of one connection: a node of its own, which may be behind the others. */
export class ScriptedConnection {
  readonly #ws: WebSocket;
  /** What the client has presented, as it wrote it. */
  readonly presented: readonly (readonly [group: string, epoch: string, offset: number])[];
  readonly #unclaimed: Map<string, { epoch: string; offset: number }>;
  readonly #memberships = new Map<GroupHistory, Membership>();
  /** How many entries the node had seen when the client left. */
  readonly #seen = new Map<GroupHistory, number>();
  /** Requests that are not answered yet: the client keeps a connection open for them. */
  readonly #requests: string[] = [];
  /** Whether frames were sent that the client may not have read. */
  #isAhead = true;

  constructor(ws: WebSocket, handshake: string) {
    this.#ws = ws;
    const headers = JSON.parse(handshake.slice("h:::".length)) as Record<string, string>;
    this.presented = JSON.parse(headers["ws-resume"] ?? '{"at":[]}').at;
    this.#unclaimed = new Map(this.presented.map(([group, epoch, offset]) => [group, { epoch, offset }]));
    ws.on("message", (data) => this.#requests.push(String(data)));
    ws.on("error", () => {});
    ws.send('k:::{"ws-capabilities":"resume=100 drain"}');
  }

  get isOpen(): boolean {
    return this.#ws.readyState === this.#ws.OPEN;
  }

  has(group: GroupHistory): boolean {
    return this.#memberships.has(group);
  }

  /** Makes the client a member, at a node that is this many entries behind, unless it cannot explain the position. */
  join(group: GroupHistory, alias: string, behind: number): void {
    if (!this.isOpen || this.has(group)) return;
    const { name, entries } = group;
    const after = this.#unclaimed.get(name);
    this.#unclaimed.delete(name);
    let seen = Math.max(group.leastSeen, this.#seen.get(group) ?? 0, entries.length - behind);
    let at = entries[seen - 1] as GroupEntry;
    const isExplained = () => !after || (after.epoch === at.epoch && after.offset <= at.offset);
    if (!isExplained()) {
      seen = entries.length;
      at = group.top;
    }
    // The entries of this epoch since it began, or went back, the last time.
    const begins = entries.slice(0, seen).reduce((last, { isLoss }, i) => (isLoss ? i : last), 0);
    const kept = entries.slice(begins + 1, seen);
    const oldest = Math.max(
      entries[begins]?.epoch === group.top.epoch ? group.trimmedTo : 0,
      entries[begins]?.offset ?? 0,
    );
    const recovered = after && isExplained() && after.offset >= oldest;
    const missed = recovered ? kept.filter(({ offset }) => offset > after.offset) : [];
    const { epoch, offset } = recovered ? after : at;
    const outcome = after && { recovered, ...(recovered && { missed: missed.length }) };
    this.#memberships.set(group, { alias, seen });
    this.send(`g::${alias}:${JSON.stringify({ group: name, epoch, offset, ...outcome })}`);
    for (const entry of missed) this.#sendEntry(alias, entry);
  }

  leave(group: GroupHistory): void {
    const membership = this.#memberships.get(group);
    if (!membership) return;
    this.#memberships.delete(group);
    this.#seen.set(group, membership.seen);
    this.send(`g::${membership.alias}:`);
  }

  /** Its node hears of what has happened. */
  catchUp(group: GroupHistory): void {
    const membership = this.#memberships.get(group);
    if (!membership) return;
    for (const entry of group.entries.slice(membership.seen)) this.#sendEntry(membership.alias, entry);
    membership.seen = group.entries.length;
  }

  /** Its node loses what it has not heard of. */
  lose(group: GroupHistory): void {
    const membership = this.#memberships.get(group);
    if (!membership || membership.seen === group.entries.length) return;
    membership.seen = group.entries.length;
    const { epoch, offset } = group.top;
    this.send(`g::${membership.alias}:${JSON.stringify({ epoch, offset, recovered: false })}`);
  }

  drain(): void {
    this.send("d:::0");
  }

  /** Answers all requests. */
  answer(): void {
    for (const request of this.#requests.splice(0)) {
      const [type, path, id] = request.split(":");
      if (type === "r") this.send(`s:${path}:${id}:{"success":true,"type":"OK","data":{"text":"x"}}`);
    }
  }

  cut(): void {
    this.#ws.terminate();
  }

  /** Waits until the client has read all frames sent so far, or the connection is closed. */
  async settle(): Promise<void> {
    if (!this.isOpen || !this.#isAhead) return;
    this.#isAhead = false;
    const end = new AbortController();
    this.#ws.ping();
    await Promise.race([once(this.#ws, "pong", end), once(this.#ws, "close", end)]);
    end.abort();
  }

  send(frame: string): void {
    this.#isAhead = true;
    if (this.isOpen) this.#ws.send(frame);
  }

  #sendEntry(alias: string, { epoch, offset, text, isLoss }: GroupEntry): void {
    if (isLoss) this.send(`g::${alias}:${JSON.stringify({ epoch, offset, recovered: false })}`);
    else if (text === undefined) this.send(`g::${alias}:${offset}`);
    else this.send(`m:Probe.news:${alias}.${offset}:${JSON.stringify({ text })}`);
  }
}

/** A server whose connections are played by a test. */
export class ScriptedGroupServer {
  readonly connections = new Queue<ScriptedConnection>();
  readonly url: string;
  readonly #webSockets: WebSocketServer;

  private constructor(webSockets: WebSocketServer, url: string) {
    this.#webSockets = webSockets;
    this.url = url;
    webSockets.on("connection", (ws) => {
      ws.once("message", (handshake) => this.connections.push(new ScriptedConnection(ws, String(handshake))));
    });
  }

  static async start(): Promise<ScriptedGroupServer> {
    const http = createServer();
    const webSockets = new WebSocketServer({ server: http });
    http.listen(0, "127.0.0.1");
    await once(http, "listening");
    return new ScriptedGroupServer(webSockets, `ws://127.0.0.1:${(http.address() as AddressInfo).port}`);
  }

  stop(): void {
    for (const ws of this.#webSockets.clients) ws.terminate();
    this.#webSockets.close();
    this.#webSockets.options.server?.close();
  }
}
