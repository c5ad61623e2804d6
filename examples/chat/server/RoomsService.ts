import type { Message, Room } from "../shared/model.js";
import type { RoomStore } from "./RoomStore.js";

/** Serves RoomsApi. */
export class RoomsService {
  constructor(private readonly rooms: RoomStore) {}

  async list(): Promise<Room[]> {
    return this.rooms.list();
  }

  async history({ roomId }: { roomId: string }): Promise<Message[]> {
    return [...this.rooms.history(roomId)];
  }
}
