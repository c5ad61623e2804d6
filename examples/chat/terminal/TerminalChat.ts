import { describeError } from "../client/describeError.js";
import type { Session } from "../client/Session.js";
import { ChatApi } from "../shared/ChatApi.js";
import type { Message, Presence } from "../shared/model.js";
import { RoomsApi } from "../shared/RoomsApi.js";
import type { Screen } from "./Screen.js";

const HELP = "Commands: /who  /rooms  /room <id>  /quit";

/** How many earlier messages are shown on entering a room. */
const RECENT = 10;

/** How long a typing notice is not repeated for the same user. */
const TYPING_AGAIN_MS = 10_000;

/** One user's chat in a terminal: prints what arrives, sends what is typed. */
export class TerminalChat {
  readonly #client;
  readonly #rooms;
  /** The printed messages of the room: a history may contain some that the socket has already delivered. */
  readonly #shown = new Set<string>();
  readonly #readers = new Set<string>();
  readonly #typedAt = new Map<string, number>();
  #channelId = "";
  #online: readonly Presence[] = [];

  constructor(
    private readonly session: Session,
    url: string,
    private readonly screen: Screen,
  ) {
    this.#rooms = RoomsApi.createClient({ url });
    this.#client = ChatApi.createClient({ url });
    this.#client.incoming.on({
      newMessage: async (message) => {
        this.#readers.clear();
        if (message.senderId === this.session.user.id) return;
        this.#show(message);
        this.#client.outgoing.markAsRead({ messageId: message.id });
      },
      typing: async ({ name }) => this.#showTyping(name),
      messageRead: async ({ name }) => this.#showReader(name),
      presence: async ({ online }) => this.#showChanges(online),
      areYouThere: async () => true,
    });
    this.#client.onClose((reason) => {
      if (reason === "manual") return;
      this.screen.fail("The connection to the server is gone.");
      process.exitCode = 1;
      this.screen.end();
    });
  }

  async enter(room: string): Promise<void> {
    await this.session.run(() => this.#client.connect());
    try {
      await this.#join(room);
    } catch (error) {
      await this.#client.disconnect();
      throw error;
    }
  }

  async handleLine(line: string): Promise<void> {
    const text = line.trim();
    if (text === "") return;
    try {
      await (text.startsWith("/") ? this.#obey(text) : this.#send(text));
    } catch (error) {
      this.screen.fail(describeError(error));
    }
  }

  disconnect(): Promise<void> {
    return this.#client.disconnect();
  }

  async #send(text: string): Promise<void> {
    await this.#client.outgoing.sendMessage({ text, channelId: this.#channelId });
  }

  async #obey(command: string): Promise<void> {
    const [name, argument] = command.split(/\s+/);
    if (name === "/quit") this.screen.end();
    else if (name === "/who") this.screen.print(`Here: ${this.#here(this.#online).join(", ")}`);
    else if (name === "/rooms") await this.#listRooms();
    else if (name === "/room" && argument) await this.#join(argument);
    else this.screen.print(HELP);
  }

  async #listRooms(): Promise<void> {
    for (const { id, topic } of await this.session.run(() => this.#rooms.list())) this.screen.print(`${id}: ${topic}`);
  }

  async #join(roomId: string): Promise<void> {
    await this.#client.outgoing.joinRoom({ roomId });
    this.#channelId = roomId;
    this.#shown.clear();
    const history = await this.session.run(() => this.#rooms.history({ roomId }));
    this.screen.print(`You are ${this.session.user.name} in "${roomId}". ${HELP}`);
    for (const message of history.slice(-RECENT)) this.#show(message);
  }

  #show(message: Message): void {
    this.#typedAt.delete(message.senderName);
    if (this.#shown.has(message.id)) return;
    this.#shown.add(message.id);
    this.screen.print(format(message));
  }

  #showTyping(name: string): void {
    const now = Date.now();
    if (now - (this.#typedAt.get(name) ?? 0) < TYPING_AGAIN_MS) return;
    this.#typedAt.set(name, now);
    this.screen.print(`  ${name} is typing…`);
  }

  #showReader(name: string): void {
    if (this.#readers.has(name)) return;
    this.#readers.add(name);
    this.screen.print(`  seen by ${name}`);
  }

  #showChanges(online: readonly Presence[]): void {
    const before = this.#here(this.#online);
    const now = this.#here(online);
    this.#online = online;
    const own = this.session.user.name;
    // Not on the user's own change of room.
    if (!before.includes(own) || !now.includes(own)) return;
    for (const name of now) if (!before.includes(name)) this.screen.print(`  ${name} has come in`);
    for (const name of before) if (!now.includes(name)) this.screen.print(`  ${name} has left`);
  }

  #here(online: readonly Presence[]): string[] {
    return online.filter(({ channelId }) => channelId === this.#channelId).map(({ name }) => name);
  }
}

function format({ timestamp, senderName, text }: Message): string {
  return `${new Date(timestamp).toTimeString().slice(0, 5)} ${senderName}: ${text}`;
}
