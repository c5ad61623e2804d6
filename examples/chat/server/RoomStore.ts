import { NOT_FOUND } from "@grest-ts/schema";
import type { Message, Room } from "../shared/model.js";

/** How many messages a room keeps. */
const HISTORY_LIMIT = 200;

/** The rooms and their latest messages, in memory only. */
export class RoomStore {
  readonly #rooms: ReadonlyMap<string, { readonly room: Room; readonly messages: Message[] }>;

  constructor(rooms: readonly Room[]) {
    this.#rooms = new Map(rooms.map((room) => [room.id, { room, messages: [] }]));
  }

  list(): Room[] {
    return Array.from(this.#rooms.values(), ({ room }) => room);
  }

  /** @throws NOT_FOUND */
  get(roomId: string): Room {
    return this.#find(roomId).room;
  }

  /** Oldest first. */
  history(roomId: string): readonly Message[] {
    return this.#find(roomId).messages;
  }

  add(message: Message): void {
    const { messages } = this.#find(message.channelId);
    messages.push(message);
    if (messages.length > HISTORY_LIMIT) messages.shift();
  }

  findMessage(roomId: string, messageId: string): Message | undefined {
    return this.#find(roomId).messages.find(({ id }) => id === messageId);
  }

  #find(roomId: string) {
    const found = this.#rooms.get(roomId);
    if (!found) throw new NOT_FOUND({ displayMessage: `There is no room "${roomId}"` });
    return found;
  }
}
