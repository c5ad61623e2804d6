import { randomUUID } from "node:crypto";
import type { WebSocketIncoming } from "@grest-ts/websocket";
import { GG_AUTH_USER } from "../shared/auth/keys.js";
import { type ChatApiContract, NOT_IN_ROOM, ROOM_FULL } from "../shared/ChatApi.js";
import { IsMessage } from "../shared/model.js";
import { type ChatOutgoing, type Member, Members } from "./Members.js";
import type { RoomStore } from "./RoomStore.js";

/** How long a connection may take to answer "are you there?". */
const ANSWER_TIMEOUT_MS = 2_000;

/** The conversation: tracks the members of rooms, and sends them messages and events. */
export class ChatService {
  readonly #members = new Members();

  constructor(private readonly rooms: RoomStore) {}

  handleConnection = (
    incoming: WebSocketIncoming<typeof ChatApiContract.methods.clientToServer>,
    outgoing: ChatOutgoing,
  ): void => {
    const member: Member = { user: GG_AUTH_USER.assert(), outgoing };
    this.#members.add(member);

    incoming.on({
      joinRoom: async ({ roomId }) => {
        this.#join(member, roomId);
        return { joined: true };
      },
      sendMessage: async ({ text, channelId }) => ({ success: true, messageId: this.#say(member, channelId, text) }),
      startTyping: async ({ channelId }) => this.#showTyping(member, channelId),
      markAsRead: async ({ messageId }) => this.#markAsRead(member, messageId),
      ping: async () => {},
    });

    outgoing.onClose(() => {
      this.#members.remove(member);
      this.#announcePresence();
    });
  };

  /** Whether any connection of the user answers. One that was lost without a close frame does not. */
  async isThere(userId: string): Promise<boolean> {
    const answers = this.#members
      .ofUser(userId)
      .map(({ outgoing }) => outgoing.areYouThere(undefined, { timeout: ANSWER_TIMEOUT_MS }).orDefault(() => false));
    return (await Promise.all(answers)).includes(true);
  }

  #join(member: Member, roomId: string): void {
    const room = this.rooms.get(roomId);
    const others = this.#members.online().filter((one) => one.channelId === roomId && one.userId !== member.user.id);
    if (others.length >= room.seats) throw new ROOM_FULL({ displayMessage: `All seats in ${room.name} are taken` });
    member.channelId = roomId;
    this.#announcePresence();
  }

  #say(member: Member, channelId: string, text: string): string {
    if (member.channelId !== channelId) {
      throw new NOT_IN_ROOM({ displayMessage: `Join "${channelId}" before you write in it` });
    }
    const { id: senderId, name: senderName } = member.user;
    const message = IsMessage.parse({
      id: randomUUID(),
      text,
      senderId,
      senderName,
      channelId,
      timestamp: Date.now(),
    });
    this.rooms.add(message);
    for (const { outgoing } of this.#members.inRoom(channelId)) outgoing.newMessage(message);
    return message.id;
  }

  #showTyping(member: Member, channelId: string): void {
    if (member.channelId !== channelId) return;
    const { id: userId, name } = member.user;
    for (const { user, outgoing } of this.#members.inRoom(channelId)) {
      if (user.id !== userId) outgoing.typing({ userId, name, channelId });
    }
  }

  /** Notifies the author. */
  #markAsRead(member: Member, messageId: string): void {
    if (member.channelId === undefined) return;
    const message = this.rooms.findMessage(member.channelId, messageId);
    if (!message || message.senderId === member.user.id) return;
    for (const { outgoing } of this.#members.ofUser(message.senderId)) {
      outgoing.messageRead({ messageId, userId: member.user.id, name: member.user.name });
    }
  }

  #announcePresence(): void {
    const online = this.#members.online();
    for (const { outgoing } of this.#members.all()) outgoing.presence({ online });
  }
}
