import { Connection, type ConnectionState, type Resumption } from "../../client/Connection.js";
import { describeReturn } from "../../client/describeReturn.js";
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
  end(error: unknown): boolean;
}

/** The chat: connects the events of the connection to the views. */
export class ChatScreen {
  readonly root: HTMLElement;
  /** Removes the listeners outside of this screen. */
  readonly #life = new AbortController();
  readonly #palette = new Palette();
  readonly #connection: Connection;
  readonly #rooms = new RoomList((room) => this.#enter(room));
  readonly #people: PeoplePanel;
  readonly #header = new RoomHeader();
  readonly #pill = new ConnectionPill();
  readonly #status = new StatusBar(() => this.#tryNow());
  readonly #messages: MessageList;
  readonly #problem = new Problem();
  readonly #typing = new TypingNotice();
  readonly #composer = new Composer({
    send: (text) => this.#send(text),
    startTyping: () => this.#room && this.#connection.startTyping(this.#room.id),
  });
  #state: ConnectionState = "offline";
  #room: Room | undefined;
  #online: readonly Presence[] = [];
  #entering = 0;

  constructor(
    private readonly session: Session,
    private readonly actions: ChatScreenActions,
  ) {
    const { user } = session;
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
      return this.#end(error);
    }
    if (this.#room) return;
    try {
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
    this.#status.clear();
    return this.#connection.close();
  }

  async #enter(room: Room): Promise<void> {
    const turn = ++this.#entering;
    this.#problem.clear();
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

  async #resume(resumption: Resumption): Promise<void> {
    this.#pill.showNode(this.#connection.node);
    this.#status.showReturn(describeReturn(resumption, this.#connection.node), resumption.isComplete);
    if (resumption.isComplete || !this.#room) return;
    await this.#load(this.#room).catch((error) => this.#fail(error));
  }

  #showRoom(room: Room): void {
    if (room.id !== this.#room?.id) this.#messages.clear();
    this.#room = room;
    this.#typing.clear();
    this.#header.show(room);
    this.#pill.showNode(this.#connection.node);
    this.#rooms.select(room.id);
    this.#composer.open(room.name);
    this.#showPresence(this.#online);
    this.#showTitle();
  }

  async #send(text: string): Promise<boolean> {
    if (!this.#room) return false;
    this.#problem.clear();
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
    if (state === "online") this.#problem.clear();
    else this.#typing.clear();
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

  #fail(error: unknown): void {
    // The end of a connection also fails what was under way on it.
    if (!this.#life.signal.aborted) this.#problem.show(error);
  }

  #end(error: unknown): void {
    if (!this.#life.signal.aborted && !this.actions.end(error)) this.#problem.show(error);
  }

  async #leave(): Promise<void> {
    await this.dispose();
    this.actions.leave();
  }
}
