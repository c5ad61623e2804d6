import { IsRoom, type Room } from "../shared/model.js";

/** The rooms of this chat. */
export const ROOMS: readonly Room[] = [
  { id: "general", name: "General", topic: "Anything, as long as it is kind", seats: 500 },
  { id: "lounge", name: "Lounge", topic: "A small room with eight seats", seats: 8 },
].map((room) => IsRoom.parse(room));
