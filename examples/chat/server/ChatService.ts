import { randomUUID } from "node:crypto";
import type { GGHttpServer } from "@grest-ts/http";
import { type GGBus, GGSocketGroup, type GGSocketServer, type WebSocketIncoming } from "@grest-ts/websocket";
import { GG_AUTH_LOG_IN } from "../shared/auth/keys.js";
import { ChatApi, type ChatApiContract, NOT_IN_ROOM, ROOM_FULL, type SendMessageRequest } from "../shared/ChatApi.js";
import { IsMessage, type Message } from "../shared/model.js";
import { ChatRooms } from "./ChatRooms.js";
import { type ChatOutgoing, type Member, Members } from "./Members.js";
import type { Messages } from "./stores/stores.js";

/** How long a connection may take to answer "are you there?". */
const ANSWER_TIMEOUT_MS = 2_000;

/** How clients move to the other nodes when this one stops: over this time, each going on here until it is there, in ms. */
const DRAIN = { spreadMs: 1_000 };

type ChatServer = GGSocketServer<object, unknown, typeof ChatApiContract.methods.serverToClient>;

/** Where the chat runs, when there are several nodes. */
export interface ChatNode {
  /** Connects it with the others. */
  readonly bus?: GGBus | undefined;
  /** Is shown to those who are connected to it. */
  readonly name?: string | undefined;
}

/** The conversation: tracks the members of rooms, and sends them messages and events. */
export class ChatService {
  readonly #members = new Members();
  /** The connections of this node, whatever room they are in. */
  readonly #everyone = new GGSocketGroup(ChatApi);
  readonly #rooms: ChatRooms;
  #server: ChatServer | undefined;

  constructor(
    private readonly messages: Messages,
    private readonly node: ChatNode = {},
  ) {
    this.#rooms = new ChatRooms(node.bus, (online) => void this.#everyone.presence({ online }));
  }

  serve(http: GGHttpServer): ChatServer {
    const server = ChatApi.startServer(this.#handleConnection, {
      http,
      bus: this.node.bus,
      keys: () => {
        const { id, user } = GG_AUTH_LOG_IN.assert();
        return [userKey(user.id), logInKey(id)];
      },
      presence: () => GG_AUTH_LOG_IN.assert().user,
      // A server that is alone has nowhere to send them, and ends their connections at once.
      drain: this.node.bus && DRAIN,
    });
    this.#server = server;
    return server;
  }

  /** Whether any connection of the user answers. One that was lost without a close frame does not. */
  async isThere(userId: string): Promise<boolean> {
    const answers = this.#members
      .ofUser(userId)
      .map(({ outgoing }) => outgoing.areYouThere(undefined, { timeout: ANSWER_TIMEOUT_MS }).orDefault(() => false));
    if ((await Promise.all(answers)).includes(true)) return true;
    // Those of other nodes are not asked.
    const connections = this.#connectionsOf(userId);
    return (await connections.count({ everywhere: true })) > connections.size;
  }

  /** Closes the connections of a log-in, on all nodes. */
  async endLogIn(logInId: string): Promise<void> {
    await this.#server?.closeConnections({ key: logInKey(logInId), reason: "You have logged in elsewhere" });
  }

  #handleConnection = (
    incoming: WebSocketIncoming<typeof ChatApiContract.methods.clientToServer>,
    outgoing: ChatOutgoing,
  ): void => {
    const member: Member = { user: GG_AUTH_LOG_IN.assert().user, outgoing, joining: Promise.resolve() };
    this.#members.add(member);

    incoming.on({
      joinRoom: async ({ roomId }) => {
        const joined = member.joining.then(() => this.#join(member, roomId));
        member.joining = joined.catch(() => {});
        await joined;
        return { joined: true, node: this.node.name };
      },
      sendMessage: async (request) => ({ success: true, messageId: await this.#say(member, request) }),
      startTyping: async ({ channelId }) => this.#showTyping(member, channelId),
      markAsRead: async ({ messageId }) => this.#markAsRead(member, messageId),
    });

    outgoing.onClose(() => {
      this.#members.remove(member);
      // Before the group notices, which would give the user ten seconds to come back: here who closes has left.
      member.room?.group.remove(outgoing);
    });

    void this.#everyone.add(outgoing);
    void this.#connectionsOf(member.user.id).add(outgoing);
  };

  async #join(member: Member, roomId: string): Promise<void> {
    const room = this.#rooms.get(roomId);
    const { user, outgoing } = member;
    const present = await room.group.present();
    const others = present.filter(({ id }) => id !== user.id);
    if (others.length >= room.seats) throw new ROOM_FULL({ displayMessage: `All seats in ${room.name} are taken` });
    await this.#rooms.followOthers(room, outgoing);
    if (member.room !== room) member.room?.group.remove(outgoing);
    member.room = room;
    await room.group.add(outgoing);
    // Others see no change when the user was there already, by another connection. This one has to see who is there.
    if (others.length < present.length) void outgoing.presence({ online: await this.#rooms.online() });
  }

  async #say({ user, room }: Member, { text, channelId, messageId }: SendMessageRequest): Promise<string> {
    if (room?.id !== channelId) {
      throw new NOT_IN_ROOM({ displayMessage: `Join "${channelId}" before you write in it` });
    }
    // Said already, and its reply was lost; or the id is that of another message.
    if (messageId !== undefined && (await this.#find(channelId, messageId))) return messageId;
    const { id: senderId, name: senderName } = user;
    const message = IsMessage.parse({
      id: messageId ?? randomUUID(),
      text,
      senderId,
      senderName,
      channelId,
      timestamp: Date.now(),
    });
    // Kept first: one who joins meanwhile gets it by the history, by the group, or by both.
    await this.messages.add(message);
    await room.group.newMessage(message);
    void room.elsewhere.roomNews({ channelId, senderId });
    return message.id;
  }

  #showTyping({ user, room, outgoing }: Member, channelId: string): void {
    if (room?.id !== channelId) return;
    const { id: userId, name } = user;
    void room.group.typing({ userId, name, channelId }, { droppable: true, except: outgoing });
  }

  /** Notifies the author. */
  async #markAsRead({ user, room }: Member, messageId: string): Promise<void> {
    if (!room) return;
    const message = await this.#find(room.id, messageId);
    if (!message || message.senderId === user.id) return;
    void this.#server?.to(userKey(message.senderId)).messageRead({ messageId, userId: user.id, name: user.name });
  }

  async #find(roomId: string, messageId: string): Promise<Message | undefined> {
    return (await this.messages.latest(roomId)).find(({ id }) => id === messageId);
  }

  /** The connections of a user, on all nodes. */
  #connectionsOf(userId: string) {
    return new GGSocketGroup(ChatApi, { name: userKey(userId), bus: this.node.bus });
  }
}

const userKey = (userId: string) => `user:${userId}`;
const logInKey = (logInId: string) => `log-in:${logInId}`;
