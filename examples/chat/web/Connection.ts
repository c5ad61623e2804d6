import type { Session } from "../client/Session.js";
import { ChatApi, type ReadEvent, type TypingEvent } from "../shared/ChatApi.js";
import type { Message, Presence, Room } from "../shared/model.js";
import { RoomsApi } from "../shared/RoomsApi.js";

export type ConnectionState = "connecting" | "online" | "offline";

/** What the server tells. */
export interface ConnectionEvents {
  onState(state: ConnectionState): void;
  onMessage(message: Message): void;
  onTyping(event: TypingEvent): void;
  onRead(event: ReadEvent): void;
  onPresence(online: readonly Presence[]): void;
}

/** Something has to pass now and then, or a proxy in between takes the line for dead. */
const PING_EVERY_MS = 25_000;

/** One person's line to the server: the socket for what happens, HTTP for what has happened. */
export class Connection {
  readonly #client = ChatApi.createClient({ url: "" });
  readonly #rooms = RoomsApi.createClient();
  #pings: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly session: Session,
    private readonly events: ConnectionEvents,
  ) {
    this.#client.incoming.on({
      newMessage: (message) => events.onMessage(message),
      typing: (event) => events.onTyping(event),
      messageRead: (event) => events.onRead(event),
      presence: ({ online }) => events.onPresence(online),
      areYouThere: () => true,
    });
    this.#client.onClose(() => {
      clearInterval(this.#pings);
      events.onState("offline");
    });
  }

  /** @throws NOT_AUTHORIZED when the server no longer knows the session */
  async open(): Promise<void> {
    this.events.onState("connecting");
    try {
      await this.session.run(() => this.#client.connect());
    } catch (error) {
      this.events.onState("offline");
      throw error;
    }
    this.#pings = setInterval(() => this.#client.outgoing.ping(), PING_EVERY_MS);
    this.events.onState("online");
  }

  close(): Promise<void> {
    return this.#client.disconnect();
  }

  listRooms(): Promise<Room[]> {
    return this.session.run(() => this.#rooms.list());
  }

  /** Moves into a room: from now on its messages come as events. */
  async join(roomId: string): Promise<void> {
    await this.#client.outgoing.joinRoom({ roomId });
  }

  /** What was said in a room. */
  history(roomId: string): Promise<Message[]> {
    return this.session.run(() => this.#rooms.history({ roomId }));
  }

  async send(channelId: string, text: string): Promise<void> {
    await this.#client.outgoing.sendMessage({ text, channelId });
  }

  startTyping(channelId: string): void {
    this.#client.outgoing.startTyping({ channelId });
  }

  markAsRead(messageId: string): void {
    this.#client.outgoing.markAsRead({ messageId });
  }
}
