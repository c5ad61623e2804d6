import type { Session } from "../client/Session.js";
import { ChatApi, type ReadEvent, type TypingEvent } from "../shared/ChatApi.js";
import type { Message, Presence, Room } from "../shared/model.js";
import { RoomsApi } from "../shared/RoomsApi.js";

export type ConnectionState = "connecting" | "online" | "offline";

/** The server's events. */
export interface ConnectionEvents {
  onState(state: ConnectionState): void;
  onMessage(message: Message): void;
  onTyping(event: TypingEvent): void;
  onRead(event: ReadEvent): void;
  onPresence(online: readonly Presence[]): void;
}

/** Keeps the connection from being closed as idle by a proxy. */
const PING_EVERY_MS = 25_000;

/** One user's connection to the server: the socket for events, HTTP for the history. */
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

  /** Joins a room, whose messages then arrive as events. */
  async join(roomId: string): Promise<void> {
    await this.#client.outgoing.joinRoom({ roomId });
  }

  /** The messages of a room. */
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
