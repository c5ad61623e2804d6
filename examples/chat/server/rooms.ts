import { NOT_FOUND } from "@grest-ts/schema";
import { IsRoom, type Room } from "../shared/model.js";

/** The rooms of this chat. */
export const ROOMS: readonly Room[] = [
  { id: "general", name: "General", topic: "Anything, as long as it is kind", seats: 500 },
  { id: "lounge", name: "Lounge", topic: "A small room with eight seats", seats: 8 },
].map((room) => IsRoom.parse(room));

/** @throws NOT_FOUND */
export function findRoom(roomId: string): Room {
  const found = ROOMS.find(({ id }) => id === roomId);
  if (!found) throw new NOT_FOUND({ displayMessage: `There is no room "${roomId}"` });
  return found;
}
