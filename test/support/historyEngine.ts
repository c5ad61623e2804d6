import type { GGBusMessage, GGBusRead, GGPosition } from "../../src/api/bus.js";

/** A message with the one that was published before it. */
export interface Published extends GGBusMessage {
  readonly before: Published | undefined;
}

/** All that an engine has. */
interface EngineState {
  readonly epoch: string;
  readonly messages: readonly Published[];
  /** The offset before the first one that is kept. */
  readonly trimmed: number;
  /** What was published last, in any epoch. */
  readonly latest: Published | undefined;
}

/** An engine with a history that may be lost, expire, and go back in time, more than once to the same. */
export class HistoryEngine {
  /** More than the size says, as engines do. */
  readonly #kept: number;
  #state: EngineState = { epoch: "", messages: [], trimmed: 0, latest: undefined };
  #saved: EngineState | undefined;
  #epochs = 0;
  /** How many messages were published, without repetitions. */
  publications = 0;
  /** How often it went back. */
  rollbacks = 0;
  /** What was published before each message, for each time that it was published. */
  readonly #before = new Map<string, (Published | undefined)[]>();

  constructor(kept: number) {
    this.#kept = kept;
  }

  get epoch(): string {
    return this.#state.epoch;
  }

  get top(): GGPosition {
    return { epoch: this.epoch, offset: this.#state.messages.length };
  }

  /** The offset before the first message that is kept. */
  get trimmed(): number {
    return this.#state.trimmed;
  }

  get latest(): Published | undefined {
    return this.#state.latest;
  }

  publish(known?: GGPosition, length = 0): GGBusMessage {
    const id = ++this.publications;
    return this.#keep({ body: `${id}`.padEnd(length), from: `node.${id}` }, known);
  }

  /** Publishes once more what it does not have. */
  retry({ body, from }: GGBusMessage, known?: GGPosition): GGBusMessage | undefined {
    const isThere = this.#state.messages.some((message) => message.from === from);
    return isThere ? undefined : this.#keep({ body, from }, known);
  }

  publishUnkept(): GGBusMessage {
    const id = ++this.publications;
    return { body: `${id}`, from: `node.${id}` };
  }

  read(after: GGPosition, limit: number): GGBusRead {
    if (this.epoch === "" || this.#isAhead(after)) this.#begin();
    const { top } = this;
    const { trimmed, messages } = this.#state;
    if (after.epoch === "") {
      const first = Math.max(trimmed, top.offset - limit);
      return { top, missed: limit > 0 ? messages.slice(first).map(withoutBefore) : undefined };
    }
    const isWhole = after.epoch === top.epoch && after.offset >= trimmed && top.offset - after.offset <= limit;
    return isWhole ? { top, missed: messages.slice(after.offset).map(withoutBefore) } : { top };
  }

  /** What was published before a message, for each time that it was published. */
  before(message: GGBusMessage): readonly (Published | undefined)[] {
    return this.#before.get(JSON.stringify(message)) ?? [];
  }

  loseAll(): void {
    this.#state = { ...this.#state, epoch: "", messages: [], trimmed: 0 };
  }

  expire(): void {
    this.#state = { ...this.#state, trimmed: this.#state.messages.length };
  }

  save(): void {
    this.#saved = this.#state;
  }

  rollBack(): boolean {
    if (!this.#saved) return false;
    this.#state = this.#saved;
    this.rollbacks++;
    return true;
  }

  #keep({ body, from }: GGBusMessage, known: GGPosition | undefined): GGBusMessage {
    if (this.epoch === "" || this.#isAhead(known)) this.#begin();
    const { epoch, messages, trimmed, latest } = this.#state;
    const message = { body, from, position: { epoch, offset: messages.length + 1 }, before: latest };
    this.#before.set(JSON.stringify(withoutBefore(message)), [...this.before(withoutBefore(message)), latest]);
    this.#state = {
      epoch,
      messages: [...messages, message],
      trimmed: Math.max(trimmed, messages.length + 1 - this.#kept),
      latest: message,
    };
    return withoutBefore(message);
  }

  #isAhead(position: GGPosition | undefined): boolean {
    return this.epoch !== "" && position?.epoch === this.epoch && position.offset > this.#state.messages.length;
  }

  #begin(): void {
    this.loseAll();
    this.#state = { ...this.#state, epoch: `E${++this.#epochs}` };
  }
}

const withoutBefore = ({ body, from, position }: GGBusMessage): GGBusMessage => ({ body, from, position });
