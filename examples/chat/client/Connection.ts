import { type ERROR, EXISTS, NOT_AUTHORIZED, NOT_FOUND, VALIDATION_ERROR } from "@grest-ts/schema";
import { CloseCode, failureOf, type GGGroupEvent, resumeGroups } from "@grest-ts/websocket";
import { ChatApi, groupOfRoom, type ReadEvent, ROOM_FULL, type RoomNews, type TypingEvent } from "../shared/ChatApi.js";
import type { Message, Presence, Room } from "../shared/model.js";
import { RoomsApi } from "../shared/RoomsApi.js";
import { newMessageId } from "./newMessageId.js";
import type { Session } from "./Session.js";

type Outgoing = Pick<ReturnType<typeof ChatApi.createClient>["outgoing"], "joinRoom">;

/** `"connecting"`: for the first time; `"reconnecting"`: it was lost, and is tried again; `"offline"`: it is not. */
export type ConnectionState = "connecting" | "online" | "reconnecting" | "offline";

/** How a room goes on after an interruption. */
export interface Resumption {
  /**
   * Whether nothing is missing: what was sent meanwhile arrives next, before anything new. If not, ask for the history of
   * the room, and leave out the messages that you have.
   */
  readonly isComplete: boolean;
  /** How many messages were sent meanwhile, where nothing is missing. */
  readonly missed: number;
  /**
   * `"returned"`: the connection was lost. `"moved"`: it was not, its server restarts and has sent this client to another one.
   * `"stayed"`: it is the same connection, and the servers have lost messages.
   */
  readonly how: "returned" | "moved" | "stayed";
}

/** What comes from the server. */
export interface ConnectionEvents {
  /** `nextTryAt` says when the next attempt follows, in ms since 1970, while it waits for it. */
  onState(state: ConnectionState, nextTryAt?: number): void;
  onMessage(message: Message): void;
  /** A message was sent in a room where this user is not. */
  onNews(news: RoomNews): void;
  onTyping(event: TypingEvent): void;
  onRead(event: ReadEvent): void;
  onPresence(online: readonly Presence[]): void;
  onResume(resumption: Resumption): void;
  /** There is a connection again, but no place in the room: this user is in none, until it joins one. */
  onRoomLost(error: unknown): void;
  /** The server had forgotten the user, who is logged in again. */
  onRenewal?(): void;
  /** There is no connection, and none follows. */
  onEnd(error: unknown): void;
}

const STATES = {
  idle: "offline",
  connecting: "connecting",
  connected: "online",
  reconnecting: "reconnecting",
  closed: "offline",
} as const;

/**
 * One user's connection to the server: the socket for events, HTTP for the history. It waits for a server that is not there,
 * returns by itself when it is lost, and goes on in the room where it was.
 */
export class Connection {
  readonly #client;
  readonly #rooms;
  #roomId: string | undefined;
  /** The methods of the latest connection, also while it is set up. */
  #outgoing: Outgoing | undefined;
  /** The joins, one after another, so that this end and the server are always in the same room. */
  #joins: Promise<unknown> = Promise.resolve();
  #latestJoin = 0;
  /** Whether nothing of the room is missing since its history was loaded. */
  #isComplete = false;
  /** Whether the server does not know the user any more: it has restarted, and kept its log-ins in memory. */
  #isForgotten = false;
  #how: Resumption["how"] = "stayed";
  #node: string | undefined;

  /** @param url of the server; absent in a browser, where it is the page's own */
  constructor(
    private readonly session: Session,
    private readonly events: ConnectionEvents,
    url?: string,
  ) {
    this.#rooms = RoomsApi.createClient(url === undefined ? {} : { url });
    this.#client = ChatApi.createClient({
      url: url ?? "",
      reconnect: { initial: true, maxDelayMs: 10_000, shouldRetry: (error) => this.#shouldRetry(error) },
      resume: resumeGroups({ onGroup: (event) => this.#resume(event) }),
      beforeConnect: () => this.#renewIfForgotten(url),
    });
    this.#client.incoming.on({
      newMessage: (message) => events.onMessage(message),
      roomNews: (news) => {
        // The user's other connections send this too.
        if (news.senderId !== session.user.id) events.onNews(news);
      },
      typing: (event) => {
        if (event.userId !== session.user.id) events.onTyping(event);
      },
      messageRead: (event) => events.onRead(event),
      presence: ({ online }) => events.onPresence(online),
      areYouThere: () => true,
    });
    // What arrives meanwhile waits. When it fails, so does this attempt, and another one follows.
    this.#client.onConnect(({ outgoing }) => {
      this.#how = this.#client.state === "connected" ? "moved" : "returned";
      return this.#afterJoins(() => this.#joinAgain(outgoing));
    });
    this.#client.onState((state, { nextTryAt }) => events.onState(STATES[state], nextTryAt));
    this.#client.onClose((_, error) => {
      if (error) events.onEnd(error);
    });
  }

  /** Names the server process that it has reached, where there are several. */
  get node(): string | undefined {
    return this.#node;
  }

  /**
   * Resolves when there is a connection, however long that takes.
   *
   * @throws EXISTS when the server has forgotten the user, and another one has the name; and why else there will be none
   */
  open(): Promise<void> {
    return this.session.run(() => this.#client.connect());
  }

  /** Ends the wait for the next attempt. */
  tryNow(): void {
    // The state says how it goes.
    this.session.run(() => this.#client.forceReconnect()).catch(() => {});
  }

  close(): Promise<void> {
    return this.#client.disconnect();
  }

  listRooms(): Promise<Room[]> {
    return this.session.run(() => this.#rooms.list());
  }

  /**
   * Joins a room, whose messages then arrive as events.
   *
   * @returns whether it is there: not when another join was asked for before this one began
   */
  join(roomId: string): Promise<boolean> {
    const turn = ++this.#latestJoin;
    return this.#afterJoins(async () => {
      if (turn !== this.#latestJoin) return false;
      this.#node = (await (this.#outgoing ?? this.#client.outgoing).joinRoom({ roomId })).node;
      if (roomId !== this.#roomId) this.#isComplete = false;
      this.#roomId = roomId;
      return true;
    });
  }

  /** The messages of a room. Ask for them when you are in it, and leave out those that you have: then none is missing. */
  async history(roomId: string): Promise<Message[]> {
    const messages = await this.session.run(() => this.#rooms.history({ roomId }));
    if (roomId === this.#roomId) this.#isComplete = true;
    return messages;
  }

  /** @param messageId by which the message is known when it arrives, also when this fails because its reply was lost */
  async send(channelId: string, text: string, messageId = newMessageId()): Promise<void> {
    await this.#client.outgoing.sendMessage({ text, channelId, messageId });
  }

  startTyping(channelId: string): void {
    this.#client.outgoing.startTyping({ channelId });
  }

  markAsRead(messageId: string): void {
    this.#client.outgoing.markAsRead({ messageId });
  }

  #afterJoins<R>(next: () => Promise<R>): Promise<R> {
    const result = this.#joins.then(next);
    this.#joins = result.catch(() => {});
    return result;
  }

  async #joinAgain(outgoing: Outgoing): Promise<void> {
    this.#outgoing = outgoing;
    if (this.#roomId === undefined) return;
    try {
      this.#node = (await outgoing.joinRoom({ roomId: this.#roomId })).node;
    } catch (error) {
      if (!ROOM_FULL.is(error) && !NOT_FOUND.is(error)) throw error;
      this.#roomId = undefined;
      this.events.onRoomLost(error);
    }
  }

  /** A connection is in a group, or has lost messages of it. */
  #resume({ group, recovered, missed }: GGGroupEvent): void {
    // In a room that is being joined, there is nothing to go on with yet.
    if (this.#roomId === undefined || group !== groupOfRoom(this.#roomId)) return;
    this.#isComplete &&= recovered === true;
    this.events.onResume({ isComplete: this.#isComplete, missed, how: this.#how });
    this.#how = "stayed";
  }

  /** Before each attempt. */
  async #renewIfForgotten(url: string | undefined): Promise<void> {
    if (!this.#isForgotten) return;
    await this.session.renew(url);
    this.#isForgotten = false;
    this.events.onRenewal?.();
  }

  #shouldRetry(error: ERROR<string, unknown>): boolean {
    if (NOT_AUTHORIZED.is(error)) this.#isForgotten = true;
    // Another user has the name; or it is none; or this one has logged in elsewhere.
    return (
      !EXISTS.is(error) && !VALIDATION_ERROR.is(error) && failureOf(error)?.closeCode !== CloseCode.POLICY_VIOLATION
    );
  }
}
