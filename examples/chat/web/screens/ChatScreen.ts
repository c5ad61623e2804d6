import { Connection, type ConnectionState, type Resumption } from "../../client/Connection.js";
import { describeLostRoom } from "../../client/describeError.js";
import { describeReturn } from "../../client/describeReturn.js";
import { noticeWait, STILL_WAITING } from "../../client/noticeWait.js";
import type { Session } from "../../client/Session.js";
import type { Message, Presence, Room } from "../../shared/model.js";
import { element } from "../dom.js";
import { Palette } from "../Palette.js";
import { setOwnHue } from "../theme.js";
import { Composer } from "../views/Composer.js";
import { ConnectionPill } from "../views/ConnectionPill.js";
import { MessageList } from "../views/MessageList.js";
import { PeoplePanel } from "../views/PeoplePanel.js";
import { Problem } from "../views/Problem.js";
import { RoomHeader } from "../views/RoomHeader.js";
import { RoomList } from "../views/RoomList.js";
import { StatusBar } from "../views/StatusBar.js";
import { TypingNotice } from "../views/TypingNotice.js";

/** What the screen asks of the page. */
export interface ChatScreenActions {
  /** The user leaves the chat. */
  leave(): void;
  /** Keeps the session, which has another log-in. */
  save(): void;
  /** There is no connection any more. Returns whether the user has to log in again, in which case the screen is gone. */
  end(error: unknown, draft: string): boolean;
}

/** The chat: connects the events of the connection to the views. */
export class ChatScreen {
  readonly root: HTMLElement;
  /** Removes the listeners outside of this screen. */
  readonly #life = new AbortController();
  readonly #palette = new Palette();
  readonly #connection: Connection;
  readonly #rooms = new RoomList(
    (room) => this.#enter(room),
    () => this.#loadRooms(),
  );
  readonly #people: PeoplePanel;
  readonly #header = new RoomHeader();
  readonly #pill = new ConnectionPill();
  readonly #status = new StatusBar(() => this.#tryNow());
  readonly #messages: MessageList;
  readonly #problem = new Problem();
  readonly #typing = new TypingNotice();
  readonly #composer: Composer;
  #state: ConnectionState = "offline";
  #room: Room | undefined;
  #online: readonly Presence[] = [];

  /** @param draft what was written before the user had to log in again */
  constructor(
    private readonly session: Session,
    private readonly actions: ChatScreenActions,
    draft = "",
  ) {
    const { user } = session;
    this.#composer = new Composer(
      {
        send: (text, messageId) => this.#send(text, messageId),
        startTyping: () => this.#room && this.#connection.startTyping(this.#room.id),
      },
      draft,
    );
    this.#palette.setPresent([user.id]);
    setOwnHue(this.#palette.hueOf(user.id));
    this.#people = new PeoplePanel(user, this.#palette, () => this.#leave(), this.#life.signal);
    const markAsRead = (message: Message) => this.#connection.markAsRead(message.id);
    this.#messages = new MessageList(user.id, this.#palette, markAsRead, this.#life.signal);
    this.#connection = new Connection(session, {
      onState: (state, nextTryAt) => this.#showState(state, nextTryAt),
      onMessage: (message) => this.#receive(message),
      onNews: ({ channelId }) => this.#showNews(channelId),
      onTyping: ({ name, channelId }) => {
        if (channelId === this.#room?.id) this.#typing.show(name);
      },
      onRead: ({ messageId, name }) => this.#messages.showReader(messageId, name),
      onPresence: (online) => this.#showPresence(online),
      onResume: (resumption) => this.#resume(resumption),
      onRoomLost: (error) => this.#loseRoom(error),
      onRenewal: () => actions.save(),
      onEnd: (error) => this.#end(error),
    });
    this.root = element(
      "div",
      { class: "chat" },
      element("aside", { "aria-label": "Rooms and people" }, this.#rooms.root, this.#people.root),
      element(
        "main",
        { class: "room" },
        element("header", {}, this.#header.root, this.#pill.root),
        this.#status.root,
        this.#messages.root,
        this.#typing.root,
        this.#problem.root,
        this.#composer.root,
      ),
    );
  }

  /** Opens the connection. It returns by itself to the room that was open. */
  async connect(): Promise<void> {
    try {
      await this.#connection.open();
    } catch (error) {
      this.#end(error);
    }
  }

  /** Call it when the screen is removed. Resolves when the connection has closed. */
  dispose(): Promise<void> {
    this.#life.abort();
    this.#status.clear();
    return this.#connection.close();
  }

  /** Loads the rooms, unless they are there, and enters the first one. */
  async #loadRooms(): Promise<void> {
    try {
      const first = await this.#rooms.load(() => this.#connection.listRooms());
      if (!first) return;
      this.#rooms.isEnabled = this.#state === "online";
      this.#showPresence(this.#online);
      await this.#enter(first);
    } catch (error) {
      this.#fail(error);
    }
  }

  async #enter(room: Room): Promise<void> {
    this.#problem.clear();
    try {
      if (!(await this.#connection.join(room.id))) return;
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
      if (room.id === this.#room?.id) this.#showMessages(history);
    } finally {
      this.#messages.isBusy = false;
    }
  }

  async #resume(resumption: Resumption): Promise<void> {
    this.#pill.showNode(this.#connection.node);
    this.#status.showReturn(describeReturn(resumption, this.#connection.node), resumption.isComplete);
    if (resumption.isComplete || !this.#room) return;
    await this.#load(this.#room).catch((error) => this.#fail(error));
  }

  /** Without a room, what was said in the last one stays in view. */
  #showRoom(room: Room | undefined): void {
    if (room && room.id !== this.#room?.id) this.#messages.clear();
    this.#room = room;
    this.#typing.clear();
    this.#header.show(room);
    this.#pill.showNode(this.#connection.node);
    this.#rooms.select(room?.id);
    this.#composer.open(room?.name);
    this.#showPresence(this.#online);
    this.#showTitle();
  }

  /** The user is back, and there is no place in the room. */
  #loseRoom(error: unknown): void {
    const name = this.#room?.name ?? "The room";
    this.#showRoom(undefined);
    this.#fail(describeLostRoom(name, error), true);
  }

  async #send(text: string, messageId: string): Promise<boolean> {
    if (!this.#room) return false;
    this.#problem.clear();
    try {
      await this.#connection.send(this.#room.id, text, messageId);
      return true;
    } catch (error) {
      // It has arrived, and only the reply was lost.
      if (this.#messages.has(messageId)) return true;
      this.#fail(error, true);
      return false;
    }
  }

  #showMessages(messages: readonly Message[]): void {
    this.#messages.merge(messages);
    if (this.#composer.confirm(messages.map(({ id }) => id))) this.#problem.clear();
  }

  #receive(message: Message): void {
    if (message.channelId !== this.#room?.id) return;
    this.#typing.hide(message.senderName);
    this.#showMessages([message]);
  }

  #showNews(roomId: string): void {
    if (roomId === this.#room?.id) return;
    this.#rooms.addNews(roomId);
    this.#showTitle();
  }

  #showTitle(): void {
    const news = this.#rooms.newsCount;
    document.title = `${news === 0 ? "" : `(${news}) `}${this.#room?.name ?? "Rooms"} · Chat`;
  }

  #showState(state: ConnectionState, nextTryAt: number | undefined): void {
    this.#state = state;
    this.#pill.show(state);
    this.#status.showState(state, nextTryAt);
    this.#rooms.isEnabled = state === "online";
    this.#composer.isOnline = state === "online";
    if (state === "online") {
      this.#problem.clearUnlessLasting();
      void this.#loadRooms();
    } else this.#typing.clear();
    if (state === "offline") this.#showPresence([]);
  }

  #showPresence(online: readonly Presence[]): void {
    this.#online = online;
    const here = online.filter(({ channelId }) => channelId === this.#room?.id);
    this.#palette.setPresent([this.session.user.id, ...here.map(({ userId }) => userId)]);
    this.#rooms.showCounts(online);
    this.#people.show(here);
  }

  #tryNow(): void {
    if (this.#state === "offline") this.connect();
    else this.#connection.tryNow();
  }

  /** @param isLasting whether another connection mends nothing */
  #fail(error: unknown, isLasting = false): void {
    // The end of a connection also fails what was under way on it.
    if (!this.#life.signal.aborted) this.#problem.show(error, isLasting);
  }

  #end(error: unknown): void {
    if (!this.#life.signal.aborted && !this.actions.end(error, this.#composer.draft)) this.#problem.show(error);
  }

  async #leave(): Promise<void> {
    await noticeWait(this.dispose(), () => this.#problem.show(STILL_WAITING));
    this.actions.leave();
  }
}
