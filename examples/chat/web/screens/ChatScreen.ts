import { Connection, type ConnectionState } from "../../client/Connection.js";
import type { Session } from "../../client/Session.js";
import type { Message, Presence, Room } from "../../shared/model.js";
import { element } from "../dom.js";
import { Composer } from "../views/Composer.js";
import { ConnectionPill } from "../views/ConnectionPill.js";
import { MemberList } from "../views/MemberList.js";
import { MessageList } from "../views/MessageList.js";
import { Notice } from "../views/Notice.js";
import { Profile } from "../views/Profile.js";
import { RoomHeader } from "../views/RoomHeader.js";
import { RoomList } from "../views/RoomList.js";
import { TypingNotice } from "../views/TypingNotice.js";

/** What the composer says while nothing can be written. */
const HINTS = { connecting: "Connecting…", reconnecting: "Reconnecting…", offline: "Reconnect to write" } as const;

/** What the screen asks of the page. */
export interface ChatScreenActions {
  /** The user leaves the chat. */
  leave(): void;
  /** Keeps the session, which has another log-in. */
  save(): void;
  fail(error: unknown): void;
}

/** The chat: connects the events of the connection to the views. */
export class ChatScreen {
  readonly root: HTMLElement;
  readonly #connection: Connection;
  readonly #rooms = new RoomList((room) => this.#enter(room));
  readonly #members: MemberList;
  readonly #header = new RoomHeader();
  readonly #pill = new ConnectionPill(() => this.connect());
  readonly #messages: MessageList;
  readonly #notice = new Notice();
  readonly #typing = new TypingNotice();
  readonly #composer = new Composer({
    send: (text) => this.#send(text),
    startTyping: () => this.#room && this.#connection.startTyping(this.#room.id),
  });
  /** Removes the listeners outside of this screen. */
  readonly #life = new AbortController();
  #room: Room | undefined;
  #online: readonly Presence[] = [];
  #entering = 0;

  constructor(
    session: Session,
    private readonly actions: ChatScreenActions,
  ) {
    this.#members = new MemberList(session.user.id);
    const markAsRead = (message: Message) => this.#connection.markAsRead(message.id);
    this.#messages = new MessageList(session.user.id, markAsRead, this.#life.signal);
    this.#connection = new Connection(session, {
      onState: (state) => this.#showState(state),
      onMessage: (message) => this.#receive(message),
      onTyping: ({ name, channelId }) => {
        if (channelId === this.#room?.id) this.#typing.show(name);
      },
      onRead: ({ messageId, name }) => this.#messages.showReader(messageId, name),
      onPresence: (online) => this.#showPresence(online),
      onResume: (isComplete) => this.#resume(isComplete),
      onRenewal: () => actions.save(),
      onEnd: (error) => this.#fail(error),
    });
    const profile = new Profile(session.user.name, () => this.#leave());
    this.root = element(
      "div",
      { class: "chat" },
      element("aside", {}, this.#rooms.root, this.#members.root, profile.root),
      element(
        "section",
        { class: "room", "aria-label": "Conversation" },
        element("header", {}, this.#header.root, this.#pill.root),
        this.#messages.root,
        this.#notice.root,
        this.#typing.root,
        this.#composer.root,
      ),
    );
  }

  /** Opens or reopens the connection. It returns by itself to the room that was open. */
  async connect(): Promise<void> {
    try {
      await this.#connection.open();
      if (this.#room) return;
      const rooms = await this.#connection.listRooms();
      this.#rooms.show(rooms);
      this.#showPresence(this.#online);
      if (rooms[0]) await this.#enter(rooms[0]);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Call it when the screen is removed. Resolves when the connection has closed. */
  dispose(): Promise<void> {
    this.#life.abort();
    return this.#connection.close();
  }

  async #enter(room: Room): Promise<void> {
    const turn = ++this.#entering;
    try {
      await this.#connection.join(room.id);
      if (turn !== this.#entering) return;
      this.#showRoom(room);
      await this.#load(room);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Call it in the room, so that no message is missed between the history and what arrives. */
  async #load(room: Room): Promise<void> {
    this.#messages.isBusy = true;
    try {
      const history = await this.#connection.history(room.id);
      if (room.id === this.#room?.id) this.#messages.merge(history);
    } finally {
      this.#messages.isBusy = false;
    }
  }

  async #resume(isComplete: boolean): Promise<void> {
    this.#pill.showNode(this.#connection.node);
    if (isComplete) return this.#notice.showReconnected();
    this.#notice.showMissed();
    if (this.#room) await this.#load(this.#room).catch((error) => this.#fail(error));
  }

  #showRoom(room: Room): void {
    if (room.id !== this.#room?.id) {
      this.#messages.clear();
      this.#notice.clear();
    }
    this.#room = room;
    this.#typing.clear();
    this.#header.show(room);
    this.#pill.showNode(this.#connection.node);
    this.#rooms.select(room.id);
    this.#composer.enable(`Message ${room.name}`);
    this.#showPresence(this.#online);
  }

  async #send(text: string): Promise<boolean> {
    if (!this.#room) return false;
    try {
      await this.#connection.send(this.#room.id, text);
      return true;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  #receive(message: Message): void {
    if (message.channelId !== this.#room?.id) return;
    this.#typing.hide(message.senderName);
    this.#messages.merge([message]);
  }

  #showState(state: ConnectionState): void {
    this.#pill.show(state);
    this.#rooms.isEnabled = state === "online";
    // It has joined the room again.
    if (state === "online" && this.#room) this.#showRoom(this.#room);
    if (state === "online") return;
    this.#typing.clear();
    this.#composer.disable(HINTS[state]);
    if (state === "offline") this.#showPresence([]);
  }

  #showPresence(online: readonly Presence[]): void {
    this.#online = online;
    this.#rooms.showCounts(online);
    this.#members.show(online.filter(({ channelId }) => channelId === this.#room?.id));
  }

  #fail(error: unknown): void {
    // The end of a connection also fails what was under way on it.
    if (!this.#life.signal.aborted) this.actions.fail(error);
  }

  async #leave(): Promise<void> {
    await this.dispose();
    this.actions.leave();
  }
}
