import { type GGBus, GGSocketGroup } from "@grest-ts/websocket";
import { ChatApi, type ChatApiContract, groupOfRoom } from "../shared/ChatApi.js";
import { IsUser, type Presence, type Room, type User } from "../shared/model.js";
import { findRoom, ROOMS } from "./rooms.js";

/** What a node or a client that was cut off finds when it is back: so many messages, that are not older. */
const HISTORY = { size: 200, ttlMs: 300_000 };

/** A room, and the connections that are in it, on all nodes. */
export interface ChatRoom extends Room {
  readonly group: GGSocketGroup<typeof ChatApiContract.methods.serverToClient, User>;
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
        return [room.id, { ...room, group }];
      }),
    );
  }

  /** @throws NOT_FOUND */
  get(roomId: string): ChatRoom {
    return this.#rooms.get(findRoom(roomId).id) as ChatRoom;
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
