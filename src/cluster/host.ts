import cluster, { type Worker } from "node:cluster";
import type { GGBusRead } from "../api/bus.js";
import { historyError } from "../groups/history.js";
import { type EngineNode, MemoryEngine } from "../groups/memoryEngine.js";
import { framesOf, type ListedMembers, type Notice } from "./frames.js";
import { Pipe } from "./pipe.js";
import { isRequest, waitsForAnswer } from "./shapes.js";

/** How many characters may wait for a worker that does not read. Beyond, messages are left out, and read again later. */
const MAX_BACKLOG = 16 * 1024 * 1024;

/** The engine of a cluster, in its primary process, and the nodes of its workers. */
export class Host {
  readonly engine = new MemoryEngine();
  readonly #workers = new Map<Worker, WorkerLink>();

  constructor() {
    cluster.on("message", this.#onMessage);
    cluster.on("disconnect", this.#onGone);
    cluster.on("exit", this.#onGone);
    for (const worker of Object.values(cluster.workers ?? {})) if (worker) this.#linkOf(worker).send({ op: "here" });
  }

  /** Takes leave of the workers. */
  close(): void {
    cluster.off("message", this.#onMessage);
    cluster.off("disconnect", this.#onGone);
    cluster.off("exit", this.#onGone);
    for (const link of this.#workers.values()) link.close();
    this.#workers.clear();
  }

  readonly #onMessage = (worker: Worker, message: unknown) => {
    const frames = framesOf(message);
    if (frames.length === 0) return;
    const link = this.#linkOf(worker);
    for (const frame of frames) link.take(frame);
  };

  readonly #onGone = (worker: Worker) => {
    this.#workers.get(worker)?.detachAll();
    this.#workers.delete(worker);
  };

  #linkOf(worker: Worker): WorkerLink {
    let link = this.#workers.get(worker);
    if (!link) {
      link = new WorkerLink(this.engine, worker);
      this.#workers.set(worker, link);
    }
    return link;
  }
}

/** A request that waits for an answer. */
interface Identified {
  readonly node: string;
  readonly id: number;
}

/** What is answered to what is no request. */
const UNKNOWN = "the primary process of the cluster does not know this request: its version is another";

/** A worker, and the nodes in it. */
export class WorkerLink {
  readonly #engine: MemoryEngine;
  readonly #pipe: Pipe;
  readonly #nodes = new Map<string, EngineNode>();
  #isInterrupted = false;

  constructor(engine: MemoryEngine, worker: Pick<Worker, "isConnected" | "send">) {
    this.#engine = engine;
    this.#pipe = new Pipe((message, onSent) =>
      worker.isConnected() ? worker.send(message, onSent as never) : process.nextTick(onSent),
    );
    this.#pipe.onEmpty = () => {
      if (!this.#isInterrupted) return;
      this.#isInterrupted = false;
      for (const node of this.#nodes.keys()) this.send({ op: "interrupted", node });
    };
  }

  send(notice: Notice): void {
    this.#pipe.push({ frame: notice, size: 0 });
  }

  /** Takes what a worker has sent, which may be of another version. */
  take(request: unknown): void {
    if (!isRequest(request)) {
      const isAnswered = waitsForAnswer(request) && this.#nodes.has(request.node);
      if (isAnswered) this.send({ op: "answer", node: request.node, id: request.id, refused: UNKNOWN });
      return;
    }
    if (request.op === "hello") return this.#attach(request.node);
    const node = this.#nodes.get(request.node);
    if (!node) return;
    const engine = this.#engine;
    switch (request.op) {
      case "subscribe":
        engine.subscribe(node, request.channel);
        return this.#answer(request);
      case "unsubscribe":
        return engine.unsubscribe(node, request.channel);
      case "publish": {
        const refused = historyError(request.history)?.message;
        if (refused) return this.send({ op: "answer", node: request.node, id: request.id, refused });
        return this.#answer(request, engine.publish(request.channel, request.body, request.from, request));
      }
      case "read":
        return this.#answerRead(request, engine.read(request.channel, request.after, request.limit));
      case "member":
        return engine.setMember(node, request.channel, request.member, request.info);
      case "setCount":
        return engine.setCount(node, request.channel, request.count);
      case "list": {
        const { version, members } = engine.list(request.channel);
        const size = [...members].reduce((sum, [member, info]) => sum + member.length + info.length, 0);
        return this.#answer(request, { version, members: [...members] } satisfies ListedMembers, size);
      }
      case "count":
        return this.#answer(request, engine.count(request.channel));
      case "bye":
        this.#nodes.delete(request.node);
        return engine.detach(node);
    }
  }

  detachAll(): void {
    for (const node of this.#nodes.values()) this.#engine.detach(node);
    this.#nodes.clear();
  }

  close(): void {
    for (const node of this.#nodes.keys()) this.send({ op: "bye", node });
    this.detachAll();
    this.#pipe.flush();
  }

  #attach(id: string): void {
    if (this.#nodes.has(id)) return;
    this.#nodes.set(id, {
      id,
      onMessage: (channel, message) =>
        this.#pass({ op: "message", node: id, channel, message }, channel.length + message.body.length),
      onMembers: (channel, change) =>
        this.#pass({ op: "members", node: id, channel, change }, channel.length + (change?.info?.length ?? 0)),
    });
    this.send({ op: "welcome", node: id });
  }

  #answer({ node, id }: Identified, value?: unknown, size = 0): void {
    const onRefused = (refused: string) => this.send({ op: "answer", node, id, refused });
    this.#pipe.push({ frame: { op: "answer", node, id, value } satisfies Notice, size, onRefused });
  }

  /** What is too long to be read at once is lost to the worker: it goes on from the top. */
  #answerRead({ node, id }: Identified, value: GGBusRead): void {
    const size = (value.missed ?? []).reduce((sum, { body, from }) => sum + body.length + from.length + 100, 0);
    const onRefused = () => this.send({ op: "answer", node, id, value: { top: value.top } });
    this.#pipe.push({ frame: { op: "answer", node, id, value } satisfies Notice, size, onRefused });
  }

  /** Leaves out what would wait for too long, and everything after it, until the worker has read. */
  #pass(notice: Notice, size: number): void {
    const interrupt = () => {
      this.#isInterrupted = true;
    };
    if (this.#pipe.backlog > MAX_BACKLOG) interrupt();
    if (!this.#isInterrupted) this.#pipe.push({ frame: notice, size, onRefused: interrupt });
  }
}
