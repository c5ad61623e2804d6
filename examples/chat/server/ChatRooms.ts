import { type GGBus, GGSocketGroup } from "@grest-ts/websocket";
import { ChatApi, type ChatApiContract, groupOfRoom } from "../shared/ChatApi.js";
import { IsUser, type Presence, type Room, type User } from "../shared/model.js";
import type { ChatOutgoing } from "./Members.js";
import { findRoom, ROOMS } from "./rooms.js";

/** What a node or a client that was cut off finds when it is back: so many messages, that are not older. */
const HISTORY = { size: 200, ttlMs: 300_000 };

type Pushes = typeof ChatApiContract.methods.serverToClient;

/** A room, and its connections on all nodes. */
export interface ChatRoom extends Room {
  /** Those that are in it. */
  readonly group: GGSocketGroup<Pushes, User>;
  /** Those that are in another one, and get the news of this one. */
  readonly elsewhere: GGSocketGroup<Pushes>;
}

/** The rooms, and who is in them. */
export class ChatRooms {
  readonly #rooms: ReadonlyMap<string, ChatRoom>;
  #isReporting = false;
  #hasChanged = false;

  /** @param onPresence is called when someone has joined or left, with all who are there now */
  constructor(
    bus: GGBus | undefined,
    private readonly onPresence: (online: Presence[]) => void,
  ) {
    this.#rooms = new Map(
      ROOMS.map((room) => {
        const group = new GGSocketGroup(ChatApi, {
          name: groupOfRoom(room.id),
          bus,
          history: HISTORY,
          presence: IsUser,
        });
        group.onPresence(() => void this.#report());
        const elsewhere = new GGSocketGroup(ChatApi, { name: `news:${room.id}`, bus, history: HISTORY });
        return [room.id, { ...room, group, elsewhere }];
      }),
    );
  }

  /** @throws NOT_FOUND */
  get(roomId: string): ChatRoom {
    return this.#rooms.get(findRoom(roomId).id) as ChatRoom;
  }

  /** A connection that enters a room gets the news of the others. */
  async followOthers(room: ChatRoom, outgoing: ChatOutgoing): Promise<void> {
    room.elsewhere.remove(outgoing);
    const others = [...this.#rooms.values()].filter((other) => other !== room);
    await Promise.all(others.map(({ elsewhere }) => elsewhere.add(outgoing)));
  }

  /** Who is in which room, on all nodes. Rejects while the bus is down. */
  async online(): Promise<Presence[]> {
    const present = Array.from(this.#rooms.values(), async ({ id: channelId, group }) =>
      (await group.present()).map(({ id: userId, name }) => ({ userId, name, channelId })),
    );
    return (await Promise.all(present)).flat().sort((a, b) => a.name.localeCompare(b.name));
  }

  /** One report at a time, so that an older one never follows a newer one. */
  async #report(): Promise<void> {
    this.#hasChanged = true;
    if (this.#isReporting) return;
    this.#isReporting = true;
    while (this.#hasChanged) {
      this.#hasChanged = false;
      // While the bus is down it is not known who is there; the next change shows it.
      const online = await this.online().catch(() => undefined);
      if (online) this.onPresence(online);
    }
    this.#isReporting = false;
  }
}
