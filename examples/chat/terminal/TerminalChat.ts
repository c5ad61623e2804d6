import { Connection, type Resumption } from "../client/Connection.js";
import { describeError, describeLostRoom } from "../client/describeError.js";
import { describeReturn } from "../client/describeReturn.js";
import { newMessageId } from "../client/newMessageId.js";
import { noticeWait, STILL_WAITING } from "../client/noticeWait.js";
import type { Session } from "../client/Session.js";
import type { Message, Presence } from "../shared/model.js";
import { printable, printableName } from "./printable.js";
import { RetryNotice } from "./RetryNotice.js";
import type { Screen } from "./Screen.js";

const HELP = "Commands: /who  /rooms  /room <id>  /quit";

/** How many earlier messages are shown on entering a room. */
const RECENT = 10;

/** How long a typing notice is not repeated for the same user. */
const TYPING_AGAIN_MS = 10_000;

/** One user's chat in a terminal: prints what arrives, sends what is typed. */
export class TerminalChat {
  readonly #connection: Connection;
  /** The messages of the room that are known: a history may contain some that the socket has already delivered. */
  readonly #known = new Set<string>();
  /** The messages whose reply was lost. */
  readonly #failed = new Set<string>();
  readonly #readers = new Set<string>();
  readonly #typedAt = new Map<string, number>();
  /** The other rooms with news that the user has read of. */
  readonly #newsIn = new Set<string>();
  readonly #retry: RetryNotice;
  #channelId = "";
  #online: readonly Presence[] = [];

  constructor(
    private readonly session: Session,
    url: string,
    private readonly screen: Screen,
  ) {
    this.#retry = new RetryNotice(screen);
    this.#connection = new Connection(
      session,
      {
        onState: (state, nextTryAt) => this.#retry.show(state, nextTryAt),
        onMessage: (message) => this.#receive(message),
        onNews: ({ channelId }) => this.#showNews(channelId),
        onTyping: ({ name }) => this.#showTyping(name),
        onRead: ({ name }) => this.#showReader(name),
        onPresence: (online) => this.#showChanges(online),
        onResume: (resumption) => this.#resume(resumption),
        onRoomLost: (error) => this.#loseRoom(error),
        onEnd: (error) => {
          // Another user may have the name by now.
          this.#fail(error);
          process.exitCode = 1;
          this.screen.end();
        },
      },
      url,
    );
  }

  async enter(room: string): Promise<void> {
    await this.#connection.open();
    try {
      await this.#join(room);
    } catch (error) {
      await this.#connection.close();
      throw error;
    }
  }

  async handleLine(line: string): Promise<void> {
    const text = line.trim();
    if (text === "") return;
    try {
      await (text.startsWith("/") ? this.#obey(text) : this.#send(text));
    } catch (error) {
      this.#fail(error);
    }
  }

  async disconnect(): Promise<void> {
    this.#retry.end();
    await noticeWait(this.#connection.close(), () => this.screen.print(STILL_WAITING));
  }

  async #send(text: string): Promise<void> {
    if (this.#channelId === "") return this.screen.fail(`Nothing was sent: you are in no room. ${HELP}`);
    const id = newMessageId();
    try {
      await this.#connection.send(this.#channelId, text, id);
    } catch (error) {
      // It has arrived, and only the reply was lost.
      if (this.#known.has(id)) return;
      this.#failed.add(id);
      throw error;
    }
  }

  async #obey(command: string): Promise<void> {
    const [name, argument] = command.split(/\s+/);
    if (name === "/quit") this.screen.end();
    else if (name === "/who") this.screen.print(`Here: ${this.#here(this.#online).map(printableName).join(", ")}`);
    else if (name === "/rooms") await this.#listRooms();
    else if (name === "/room" && argument) await this.#join(argument);
    else this.screen.print(HELP);
  }

  async #listRooms(): Promise<void> {
    for (const { id, topic } of await this.#connection.listRooms()) this.screen.print(printable(`${id}: ${topic}`));
  }

  async #join(roomId: string): Promise<void> {
    if (!(await this.#connection.join(roomId))) return;
    this.#channelId = roomId;
    this.#newsIn.delete(roomId);
    this.#known.clear();
    const history = await this.#connection.history(roomId);
    this.screen.print(
      `You are ${printableName(this.session.user.name)} in "${printable(roomId)}"${this.#place}. ${HELP}`,
    );
    const fresh = history.filter((message) => this.#isNew(message));
    for (const message of fresh.slice(-RECENT)) this.#show(message);
  }

  /** Before what was said while the connection was away. */
  async #resume(resumption: Resumption): Promise<void> {
    this.screen.print(`  ${describeReturn(resumption, this.#connection.node)}`);
    if (resumption.isComplete) return;
    try {
      const history = await this.#connection.history(this.#channelId);
      for (const message of history) if (this.#isNew(message)) this.#show(message);
    } catch (error) {
      this.#fail(error);
    }
  }

  #loseRoom(error: unknown): void {
    this.screen.fail(printable(`${describeLostRoom(this.#channelId, error)}. ${HELP}`));
    this.#channelId = "";
  }

  #fail(error: unknown): void {
    this.screen.fail(printable(describeError(error)));
  }

  #receive(message: Message): void {
    this.#readers.clear();
    if (!this.#isNew(message)) return;
    if (message.senderId === this.session.user.id) return this.#confirm(message);
    this.#show(message);
    this.#connection.markAsRead(message.id);
  }

  /** Whether a message is seen for the first time. */
  #isNew({ id }: Message): boolean {
    return !this.#known.has(id) && Boolean(this.#known.add(id));
  }

  /** The user has read that it was not sent. */
  #confirm(message: Message): void {
    if (this.#failed.delete(message.id)) this.screen.print(`  Sent after all: ${printable(message.text)}`);
  }

  #show(message: Message): void {
    this.#typedAt.delete(message.senderName);
    this.screen.print(format(message));
  }

  #showNews(roomId: string): void {
    if (this.#newsIn.has(roomId)) return;
    this.#newsIn.add(roomId);
    this.screen.print(printable(`  There is news in "${roomId}": /room ${roomId}`));
  }

  /** Names the server process, where there are several. */
  get #place(): string {
    const { node } = this.#connection;
    return node === undefined ? "" : ` (node ${printableName(node)})`;
  }

  #showTyping(name: string): void {
    const now = Date.now();
    if (now - (this.#typedAt.get(name) ?? 0) < TYPING_AGAIN_MS) return;
    this.#typedAt.set(name, now);
    this.screen.print(`  ${printableName(name)} is typing…`);
  }

  #showReader(name: string): void {
    if (this.#readers.has(name)) return;
    this.#readers.add(name);
    this.screen.print(`  seen by ${printableName(name)}`);
  }

  #showChanges(online: readonly Presence[]): void {
    const before = this.#here(this.#online);
    const now = this.#here(online);
    this.#online = online;
    const own = this.session.user.name;
    // Not on the user's own change of room.
    if (!before.includes(own) || !now.includes(own)) return;
    for (const name of now) if (!before.includes(name)) this.screen.print(`  ${printableName(name)} has come in`);
    for (const name of before) if (!now.includes(name)) this.screen.print(`  ${printableName(name)} has left`);
  }

  #here(online: readonly Presence[]): string[] {
    return online.filter(({ channelId }) => channelId === this.#channelId).map(({ name }) => name);
  }
}

function format({ timestamp, senderName, text }: Message): string {
  return `${new Date(timestamp).toTimeString().slice(0, 5)} ${printableName(senderName)}: ${printable(text)}`;
}
