import type { ERROR } from "@grest-ts/schema";
import { ChatApi, type ReadEvent, type TypingEvent } from "../shared/ChatApi.js";
import type { Message, Presence, Room } from "../shared/model.js";
import { RoomsApi } from "../shared/RoomsApi.js";
import type { Session } from "./Session.js";

/** `"reconnecting"`: it was lost, and is tried again; `"offline"`: it is not. */
export type ConnectionState = "connecting" | "online" | "reconnecting" | "offline";

/** What comes from the server. */
export interface ConnectionEvents {
  onState(state: ConnectionState): void;
  onMessage(message: Message): void;
  onTyping(event: TypingEvent): void;
  onRead(event: ReadEvent): void;
  onPresence(online: readonly Presence[]): void;
  /**
   * Another connection is in the room now. What was said meanwhile is in the history of the room; what is said from now on
   * arrives after the promise.
   */
  onReturn(): Promise<void>;
  /** The connection was lost, and is not tried again. */
  onEnd(error: ERROR<string, unknown>): void;
}

export interface ConnectionOptions {
  /** Of the server; absent in a browser, where it is the page's own. */
  readonly url?: string;
  /** How often a lost connection is tried again. Default: for ever. */
  readonly maxAttempts?: number;
}

const STATES = {
  idle: "offline",
  connecting: "connecting",
  connected: "online",
  reconnecting: "reconnecting",
  closed: "offline",
} as const;

/** One user's connection to the server: the socket for events, HTTP for the history. It returns by itself when it is lost. */
export class Connection {
  readonly #client;
  readonly #rooms;
  #roomId: string | undefined;
  #node: string | undefined;

  constructor(
    private readonly session: Session,
    events: ConnectionEvents,
    { url, maxAttempts }: ConnectionOptions = {},
  ) {
    this.#rooms = RoomsApi.createClient(url === undefined ? {} : { url });
    this.#client = ChatApi.createClient({ url: url ?? "", reconnect: { maxAttempts } });
    this.#client.incoming.on({
      newMessage: (message) => events.onMessage(message),
      typing: (event) => {
        // The user's other connections send this too.
        if (event.userId !== session.user.id) events.onTyping(event);
      },
      messageRead: (event) => events.onRead(event),
      presence: ({ online }) => events.onPresence(online),
      areYouThere: () => true,
    });
    this.#client.onConnect(async ({ outgoing }) => {
      const roomId = this.#roomId;
      if (roomId === undefined) return;
      // When it fails, so does this attempt, and another one follows.
      this.#node = (await outgoing.joinRoom({ roomId })).node;
      await events.onReturn();
    });
    this.#client.onState((state) => events.onState(STATES[state]));
    this.#client.onClose((_, error) => {
      if (error) events.onEnd(error);
    });
  }

  /** Names the server process that it has reached, where there are several. */
  get node(): string | undefined {
    return this.#node;
  }

  /**
   * Connects. One that was lost is tried again at once.
   *
   * @throws NOT_AUTHORIZED when the server no longer knows the session; and why this attempt has failed
   */
  open(): Promise<void> {
    if (this.#client.state !== "reconnecting") return this.session.run(() => this.#client.connect());
    return new Promise((resolve, reject) => {
      const stop = this.#client.onState((state, { error, nextTryAt }) => {
        const isTrying = state === "reconnecting" && nextTryAt === undefined;
        if (isTrying) return;
        stop();
        if (state === "connected") resolve();
        else reject(error);
      });
      // The state says how it goes.
      this.#client.forceReconnect().catch(() => {});
    });
  }

  close(): Promise<void> {
    return this.#client.disconnect();
  }

  listRooms(): Promise<Room[]> {
    return this.session.run(() => this.#rooms.list());
  }

  /** Joins a room, whose messages then arrive as events. */
  async join(roomId: string): Promise<void> {
    this.#node = (await this.#client.outgoing.joinRoom({ roomId })).node;
    this.#roomId = roomId;
  }

  /** The messages of a room. Ask for them when you are in it, and leave out those that you have: then none is missing. */
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
