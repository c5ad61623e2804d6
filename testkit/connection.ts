import { ERROR } from "@grest-ts/schema";
import type { GGSocketContractMethods, GGSocketMethod } from "../src/api/contract.js";
import type { GGWebSocketMiddleware } from "../src/api/middleware.js";
import type { GGSocket, SocketReply } from "../src/api/rawSocket.js";
import { nodePlatform } from "../src/client/platform/node.js";
import { SocketPool } from "../src/client/pool.js";
import { serverError } from "../src/connection/methods/outcome.js";
import { decodeFrame, FrameType } from "../src/protocol/frame.js";
import type { PendingAction } from "./action.js";
import { GGSocketTestError, listed, show, warn } from "./failure.js";
import type { Operation, OperationHost } from "./operation.js";
import { describeMessage, messageOf, type ReceivedMessage, refusalOf } from "./receivedMessage.js";
import { RecordingTransport } from "./recordingTransport.js";
import { atMost, setImmediate } from "./runner.js";
import type { Wait } from "./wait.js";

/** What a connection is made from. */
export interface TestConnectionPlan {
  readonly apiName: string;
  readonly url: string;
  /** Whether the server runs in this process. */
  readonly isLocal: boolean;
  readonly path: string;
  readonly query: object | undefined;
  readonly middlewares: readonly GGWebSocketMiddleware[];
  readonly methods: GGSocketContractMethods;
  /** Timeout of calls and round trips, in ms. */
  readonly timeout: number;
  /** Whether unexpected messages are only warned about. */
  readonly isLenient: boolean;
  /** A message arrived that no wait matches, or a problem occurred. */
  onUnexpected(): void;
}

/** One connection of a test, with its unclaimed messages and its pending waits. */
export class TestConnection implements OperationHost {
  readonly #plan: TestConnectionPlan;
  #transport!: RecordingTransport;
  #socket!: GGSocket;
  readonly #unclaimed: ReceivedMessage[] = [];
  readonly #waits = new Set<Wait>();
  readonly #operations = new Set<Operation>();
  readonly #problems: GGSocketTestError[] = [];
  #isClosing = false;
  /** Why the connection has closed. */
  #ended: string | undefined;

  private constructor(plan: TestConnectionPlan) {
    this.#plan = plan;
  }

  /** @throws ERROR with which the server rejects the handshake, as the class that the contract declares */
  static async open(plan: TestConnectionPlan): Promise<TestConnection> {
    const connection = new TestConnection(plan);
    const { url, isLocal, path, query, middlewares } = plan;
    let refused = "";
    const pool = new SocketPool({
      ...nodePlatform,
      dial: (to) => {
        connection.#transport = new RecordingTransport(to, isLocal, (text) => {
          const { type, payload } = decodeFrame(text);
          if (type === FrameType.HANDSHAKE_ERROR) refused = payload;
          else connection.#onFrame(text);
        });
        return connection.#transport;
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

  /** Starts a call. In lenient mode, earlier messages are dropped with a warning: they are no effects of this call. */
  beginExchange(): void {
    if (this.#plan.isLenient) for (const error of this.takeUnexpected()) warn(error);
    if (this.#operations.size <= 1) this.#transport.beginExchange();
  }

  describeFrames(): string {
    return this.#transport.describeFrames();
  }

  /** Sends a request and resolves with its reply, or sends a message and resolves when the server has received it. */
  async send(path: string, input: unknown, hasReply: boolean): Promise<SocketReply | undefined> {
    // The operation has the actual timeout; this one only must not expire first.
    const reply = await this.#socket.send(path, input, hasReply, this.#plan.timeout + 60_000);
    if (!hasReply) await this.#transport.roundTrip();
    return reply;
  }

  /** Adds a wait, and first offers it the unclaimed messages. */
  expect(wait: Wait): void {
    this.#waits.add(wait);
    for (const message of this.#unclaimed.filter(({ method }) => method === wait.plan.method)) {
      if (!this.#waits.has(wait)) break;
      this.#unclaimed.splice(this.#unclaimed.indexOf(message), 1);
      this.#give(wait, message);
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
    // The operation reports its own error; the other problems remain to be reported.
    const reported = this.#problems.indexOf(operation.error as GGSocketTestError);
    if (reported >= 0) this.#problems.splice(reported, 1);
  }

  /** The failure of an action that timed out. `alsoMissing` is listed before the missing messages. */
  missed(action: PendingAction, ms: number, waits: readonly Wait[], alsoMissing?: string): GGSocketTestError {
    const open = waits.filter((wait) => this.#waits.has(wait) || wait.received.length < wait.plan.times);
    const missing = [...(alsoMissing ? [alsoMissing] : []), ...open.map((wait) => wait.missing)];
    const more = [listed("Missing", missing), listed("Received but not expected", this.#unclaimed.map(describeMessage))]
      .filter(Boolean)
      .join("\n\n");
    const { path, site } = action;
    return new GGSocketTestError(`${path}: not done within ${ms} ms`, { more, frames: this.describeFrames(), site });
  }

  /**
   * Resolves when the server's immediate responses to earlier messages have arrived. Operations that are pending at
   * its start are reported as problems.
   */
  async settle(): Promise<void> {
    const open = [...this.#operations].map(({ label }) => label).join(", ");
    const missing = listed(
      "Missing",
      Array.from(this.#waits, (wait) => wait.missing),
    );
    if (open) this.#problems.push(this.#error(`the connection was ended while ${open}`, missing));
    // The server answers a ping before it sends the pushes of the same tick; a second pong arrives after them.
    const twice = this.#transport.roundTrip().then(() => this.#transport.roundTrip());
    await atMost(this.#plan.timeout, twice);
  }

  /** Closes the connection after everything has arrived that the server sent before it received the close frame. */
  async close(): Promise<void> {
    for (const operation of this.#operations) operation.fail(this.#error(`disconnected while ${operation.label}`));
    this.#isClosing = true;
    this.#socket.close();
    await this.#socket.closed();
  }

  /** Removes and returns the problems that have not failed anything yet. */
  takeProblems(): GGSocketTestError[] {
    return this.#problems.splice(0);
  }

  /** Removes and returns the unclaimed messages, as an error. */
  takeUnexpected(): GGSocketTestError[] {
    const unexpected = this.#unclaimed.splice(0);
    if (unexpected.length === 0) return [];
    const paths = [...new Set(unexpected.map(({ path }) => path))].join(", ");
    const what = unexpected.length === 1 ? "a push" : `${unexpected.length} pushes`;
    const more = unexpected.map(describeMessage).join("\n");
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
      // Transport errors are reported by the close.
      if (error instanceof ERROR) this.#problem("the server sent a message that is not JSON");
    });
    socket.setUnknownMessageHandler((path, data) =>
      this.#problem(`the server sent ${path}, which is not in the contract`, `Payload:\n${show(data)}`),
    );
    for (const [method, contract] of Object.entries(methods.serverToClient)) {
      const path = `${apiName}.${method}`;
      socket.registerHandler({ path, handler: (data) => this.#onMessage(method, path, data, contract) });
    }
  }

  #onMessage(method: string, path: string, data: unknown, { success }: GGSocketMethod): Promise<unknown> | undefined {
    let answer: ReceivedMessage["answer"];
    const reply =
      success &&
      new Promise((resolve) => {
        answer = resolve;
      });
    const message: ReceivedMessage = { method, path, data, answer };
    const wait = [...this.#waits].find(({ plan }) => plan.method === method);
    if (wait) this.#give(wait, message);
    else this.#keep(message);
    return reply;
  }

  #give(wait: Wait, message: ReceivedMessage): void {
    if (wait.take(message)) this.forget(wait);
  }

  #keep(message: ReceivedMessage): void {
    this.#unclaimed.push(message);
    this.#plan.onUnexpected();
    // The test may still add a mock in this turn of the event loop, for example after connect().
    if (message.answer) setImmediate(() => this.#refuse(message));
  }

  #refuse(request: ReceivedMessage): void {
    const at = this.#unclaimed.indexOf(request);
    if (at < 0) return;
    this.#unclaimed.splice(at, 1);
    request.answer?.(serverError(`No mock of the test answers ${request.path}`));
    this.#problem(
      `the server asked ${request.path}, and no mock answers it`,
      `Answer it with api.mock.${request.method}.andReturn(…), in with(…) of the call that causes it\n\n${describeMessage(request)}`,
    );
  }

  /** Keeps messages that arrive while this end closes: the socket no longer passes them to handlers. */
  #onFrame(text: string): void {
    const message = this.#isClosing && messageOf(text);
    if (message) this.#unclaimed.push(message);
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
