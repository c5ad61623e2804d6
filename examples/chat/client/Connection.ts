import { type ERROR, NOT_AUTHORIZED } from "@grest-ts/schema";
import { type GGGroupEvent, resumeGroups } from "@grest-ts/websocket";
import { ChatApi, groupOfRoom, type ReadEvent, type TypingEvent } from "../shared/ChatApi.js";
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
   * The room goes on after an interruption. What was said meanwhile arrives next, before anything new, if `isComplete`. If not,
   * messages may be missing: ask for the history of the room, and leave out those that you have.
   */
  onResume(isComplete: boolean): void;
  /** The server had forgotten the user, who is logged in again. */
  onRenewal?(): void;
  /** The connection was lost, and is not tried again. */
  onEnd(error: unknown): void;
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

/**
 * One user's connection to the server: the socket for events, HTTP for the history. It returns by itself when it is lost, and
 * goes on in the room where it was.
 */
export class Connection {
  readonly #client;
  readonly #rooms;
  #roomId: string | undefined;
  /** Whether nothing of the room is missing since its history was loaded. */
  #isComplete = false;
  #node: string | undefined;

  constructor(
    private readonly session: Session,
    private readonly events: ConnectionEvents,
    private readonly options: ConnectionOptions = {},
  ) {
    const { url, maxAttempts } = options;
    this.#rooms = RoomsApi.createClient(url === undefined ? {} : { url });
    this.#client = ChatApi.createClient({
      url: url ?? "",
      reconnect: { maxAttempts },
      resume: resumeGroups({ onGroup: (event) => this.#resume(event) }),
    });
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
    // What arrives meanwhile waits. When it fails, so does this attempt, and another one follows.
    this.#client.onConnect(async ({ outgoing }) => {
      const roomId = this.#roomId;
      if (roomId !== undefined) this.#node = (await outgoing.joinRoom({ roomId })).node;
    });
    this.#client.onState((state) => events.onState(STATES[state]));
    this.#client.onClose((_, error) => {
      if (error) this.#end(error);
    });
  }

  /** Names the server process that it has reached, where there are several. */
  get node(): string | undefined {
    return this.#node;
  }

  /**
   * Connects. One that was lost is tried again at once.
   *
   * @throws EXISTS when the server has forgotten the user, and another one has the name; and why this attempt has failed
   */
  open(): Promise<void> {
    if (this.#client.state !== "reconnecting") return this.#connect().catch((error) => this.#renew(error));
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
    if (roomId !== this.#roomId) this.#isComplete = false;
    this.#roomId = roomId;
  }

  /** The messages of a room. Ask for them when you are in it, and leave out those that you have: then none is missing. */
  async history(roomId: string): Promise<Message[]> {
    const messages = await this.session.run(() => this.#rooms.history({ roomId }));
    if (roomId === this.#roomId) this.#isComplete = true;
    return messages;
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

  #connect(): Promise<void> {
    return this.session.run(() => this.#client.connect());
  }

  /** A connection is in a group, or has lost messages of it. */
  #resume({ group, recovered }: GGGroupEvent): void {
    // In a room that is being joined, there is nothing to go on with yet.
    if (this.#roomId === undefined || group !== groupOfRoom(this.#roomId)) return;
    this.#isComplete &&= recovered === true;
    this.events.onResume(this.#isComplete);
  }

  /**
   * Connects with a new log-in, where the server has forgotten the earlier one: it was restarted, and kept it in memory.
   *
   * @throws its argument, unless that is the reason
   */
  async #renew(error: unknown): Promise<void> {
    if (!NOT_AUTHORIZED.is(error)) throw error;
    await this.session.renew(this.options.url);
    this.events.onRenewal?.();
    await this.#connect();
  }

  async #end(error: ERROR<string, unknown>): Promise<void> {
    await this.#renew(error).catch((reason) => this.events.onEnd(reason));
  }
}
