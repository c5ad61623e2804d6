import { ERROR, type GGContractMethod } from "@grest-ts/schema";
import type { GGSocketContractMethods } from "../src/api/contract.js";
import type { GGWebSocketMiddleware } from "../src/api/middleware.js";
import type { GGSocket, SocketReply } from "../src/api/rawSocket.js";
import { nodePlatform } from "../src/client/platform/node.js";
import { SocketPool } from "../src/client/pool.js";
import { decodeFrame, FrameType } from "../src/protocol/frame.js";
import type { PendingAction } from "./action.js";
import { type Arrival, arrivalOf, describeArrival, refusalOf } from "./arrivals.js";
import { GGSocketTestError, listed, show, warn } from "./failure.js";
import { RecordedLine } from "./line.js";
import type { Operation, OperationHost } from "./operation.js";
import { atMost, setImmediate } from "./runner.js";
import { refusal, type Wait } from "./wait.js";

/** What a connection is made from. */
export interface TestConnectionPlan {
  readonly apiName: string;
  readonly url: string;
  /** Whether the server is one of this process. */
  readonly isLocal: boolean;
  readonly path: string;
  readonly query: object | undefined;
  readonly middlewares: readonly GGWebSocketMiddleware[];
  readonly methods: GGSocketContractMethods;
  /** How long things may take, in ms. */
  readonly timeout: number;
  /** Whether what no test expects is only warned about. */
  readonly isLenient: boolean;
  /** Something came that nobody waits for. */
  onUnexpected(): void;
}

/** One connection of a test: what has come and was not expected yet, and who waits for what. */
export class TestConnection implements OperationHost {
  readonly #plan: TestConnectionPlan;
  #line!: RecordedLine;
  #socket!: GGSocket;
  readonly #unclaimed: Arrival[] = [];
  readonly #waits = new Set<Wait>();
  readonly #operations = new Set<Operation>();
  readonly #problems: GGSocketTestError[] = [];
  #isClosing = false;
  /** Why there is no connection any more. */
  #ended: string | undefined;

  private constructor(plan: TestConnectionPlan) {
    this.#plan = plan;
  }

  /** @throws ERROR that the server refused with, of the class that the contract declares */
  static async open(plan: TestConnectionPlan): Promise<TestConnection> {
    const connection = new TestConnection(plan);
    const { url, isLocal, path, query, middlewares } = plan;
    let refused = "";
    const pool = new SocketPool({
      ...nodePlatform,
      dial: (to) => {
        connection.#line = new RecordedLine(to, isLocal, (text) => {
          const { type, payload } = decodeFrame(text);
          if (type === FrameType.HANDSHAKE_ERROR) refused = payload;
          else connection.#onFrame(text);
        });
        return connection.#line;
      },
    });
    try {
      connection.#attach(await pool.connect({ domain: url, path, query, middlewares }));
    } catch (error) {
      throw refusalOf(refused, plan.methods) ?? error;
    }
    return connection;
  }

  get isOpen(): boolean {
    return !this.#isClosing && this.#socket.isOpen;
  }

  /** Why it is not open. */
  get ended(): string {
    return this.#ended ?? "it was disconnected";
  }

  /** A call begins. What came before it, where that makes no test fail, is not what the call leads to. */
  beginExchange(): void {
    if (this.#plan.isLenient) for (const error of this.takeUnexpected()) warn(error);
    if (this.#operations.size <= 1) this.#line.beginExchange();
  }

  describeFrames(): string {
    return this.#line.describeFrames();
  }

  /** Sends a request and resolves with its reply, or a message and resolves when the server has it. */
  async send(path: string, input: unknown, hasReply: boolean): Promise<SocketReply | undefined> {
    // The limit is the operation's.
    const reply = await this.#socket.send(path, input, hasReply, this.#plan.timeout + 60_000);
    if (!hasReply) await this.#line.roundTrip();
    return reply;
  }

  /** Lets somebody wait, beginning with what has come already. */
  expect(wait: Wait): void {
    this.#waits.add(wait);
    for (const arrival of this.#unclaimed.filter(({ method }) => method === wait.plan.method)) {
      if (!this.#waits.has(wait)) break;
      this.#unclaimed.splice(this.#unclaimed.indexOf(arrival), 1);
      this.#give(wait, arrival);
    }
  }

  forget(wait: Wait): void {
    this.#waits.delete(wait);
  }

  begin(operation: Operation): void {
    const [problem] = this.#problems.splice(0, 1);
    if (problem) throw problem;
    this.#operations.add(operation);
  }

  end(operation: Operation): void {
    this.#operations.delete(operation);
    // What it has failed with is known; anything else that went wrong meanwhile is not.
    const told = this.#problems.indexOf(operation.error as GGSocketTestError);
    if (told >= 0) this.#problems.splice(told, 1);
  }

  /** The failure of an action whose time is over. `alsoMissing` comes before what the waits miss. */
  missed(action: PendingAction, ms: number, waits: readonly Wait[], alsoMissing?: string): GGSocketTestError {
    const open = waits.filter((wait) => this.#waits.has(wait) || wait.received.length < wait.plan.times);
    const missing = [...(alsoMissing ? [alsoMissing] : []), ...open.map((wait) => wait.missing)];
    const more = [
      listed("Missing", missing),
      listed("Came, and was not expected", this.#unclaimed.map(describeArrival)),
    ]
      .filter(Boolean)
      .join("\n\n");
    const { path, site } = action;
    return new GGSocketTestError(`${path}: not done within ${ms} ms`, { more, frames: this.describeFrames(), site });
  }

  /**
   * Resolves when what the server sent at once on account of earlier messages has arrived. What is awaited at its
   * beginning, nobody waits for any more.
   */
  async settle(): Promise<void> {
    const open = [...this.#operations].map(({ label }) => label).join(", ");
    const missing = listed(
      "Missing",
      Array.from(this.#waits, (wait) => wait.missing),
    );
    if (open) this.#problems.push(this.#error(`the connection was ended while ${open}`, missing));
    // A ping is answered before the pushes of the same tick leave; a second one comes after them.
    const twice = this.#line.roundTrip().then(() => this.#line.roundTrip());
    await atMost(this.#plan.timeout, twice);
  }

  /** Ends the connection, once all has arrived that the server had sent before it heard of that. */
  async close(): Promise<void> {
    for (const operation of this.#operations) operation.fail(this.#error(`disconnected while ${operation.label}`));
    this.#isClosing = true;
    this.#socket.close();
    await this.#socket.closed();
  }

  /** Takes out what went wrong and made nothing fail so far. */
  takeProblems(): GGSocketTestError[] {
    return this.#problems.splice(0);
  }

  /** Takes out what has come and nobody has asked for. */
  takeUnexpected(): GGSocketTestError[] {
    const unexpected = this.#unclaimed.splice(0);
    if (unexpected.length === 0) return [];
    const paths = [...new Set(unexpected.map(({ path }) => path))].join(", ");
    const what = unexpected.length === 1 ? "a push" : `${unexpected.length} pushes`;
    const more = unexpected.map(describeArrival).join("\n");
    return [new GGSocketTestError(`${paths}: ${what} that no test expected`, { more, frames: this.describeFrames() })];
  }

  #attach(socket: GGSocket): void {
    this.#socket = socket;
    const { apiName, methods } = this.#plan;
    socket.onClose((code, reason) => {
      this.#ended = `the connection has closed (${[code, reason].join(" ").trim()})`;
      for (const operation of this.#operations) operation.fail(this.#error(`${this.#ended} while ${operation.label}`));
    });
    socket.onError((error) => {
      // What happens to the line itself shows in its closing.
      if (error instanceof ERROR) this.#problem("a message that is not JSON came from the server");
    });
    socket.setUnknownMessageHandler((path, data) =>
      this.#problem(`the server sent ${path}, which is not in the contract`, `Payload:\n${show(data)}`),
    );
    for (const [method, contract] of Object.entries(methods.serverToClient)) {
      const path = `${apiName}.${method}`;
      socket.registerHandler({ path, handler: (data) => this.#arrived(method, path, data, contract) });
    }
  }

  #arrived(method: string, path: string, data: unknown, { success }: GGContractMethod): Promise<unknown> | undefined {
    let answer: Arrival["answer"];
    const reply =
      success &&
      new Promise((resolve) => {
        answer = resolve;
      });
    const arrival: Arrival = { method, path, data, answer };
    const wait = [...this.#waits].find(({ plan }) => plan.method === method);
    if (wait) this.#give(wait, arrival);
    else this.#keep(arrival);
    return reply;
  }

  #give(wait: Wait, arrival: Arrival): void {
    if (wait.take(arrival)) this.forget(wait);
  }

  #keep(arrival: Arrival): void {
    this.#unclaimed.push(arrival);
    this.#plan.onUnexpected();
    // A test that goes on in this very turn, as after connect(), may still have an answer.
    if (arrival.answer) setImmediate(() => this.#refuse(arrival));
  }

  #refuse(request: Arrival): void {
    const at = this.#unclaimed.indexOf(request);
    if (at < 0) return;
    this.#unclaimed.splice(at, 1);
    request.answer?.(refusal(`No mock of the test answers ${request.path}`));
    this.#problem(
      `the server asked ${request.path}, and no mock answers it`,
      `Answer it with api.mock.${request.method}.andReturn(…), in with(…) of the call that leads to it\n\n${describeArrival(request)}`,
    );
  }

  /** Frames that come while this end closes: the socket does not hand them on any more. */
  #onFrame(text: string): void {
    const arrival = this.#isClosing && arrivalOf(text);
    if (arrival) this.#unclaimed.push(arrival);
  }

  #problem(what: string, more?: string): void {
    const error = this.#error(what, more);
    if (this.#plan.isLenient) return warn(error);
    this.#problems.push(error);
    for (const operation of this.#operations) operation.fail(error);
    this.#plan.onUnexpected();
  }

  #error(what: string, more?: string): GGSocketTestError {
    return new GGSocketTestError(`${this.#plan.apiName}: ${what}`, { more, frames: this.describeFrames() });
  }
}
