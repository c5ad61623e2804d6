import type { Message, Room } from "../shared/model.js";
import { findRoom, ROOMS } from "./rooms.js";
import type { Messages } from "./stores/stores.js";

/** Serves RoomsApi. */
export class RoomsService {
  constructor(private readonly messages: Messages) {}

  async list(): Promise<Room[]> {
    return [...ROOMS];
  }

  async history({ roomId }: { roomId: string }): Promise<Message[]> {
    return this.messages.latest(findRoom(roomId).id);
  }
}
