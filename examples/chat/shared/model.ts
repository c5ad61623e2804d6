import { IsObject, IsString, IsUint } from "@grest-ts/schema";

/** The data types of the chat, from which every API is built. */

export const IsUserId = IsString.brand("UserId");

export const IsUser = IsObject({ id: IsUserId, name: IsString });
export type User = typeof IsUser.infer;

export const IsRoom = IsObject({ id: IsString, name: IsString, topic: IsString, seats: IsUint });
export type Room = typeof IsRoom.infer;

export const IsMessage = IsObject({
  id: IsString,
  text: IsString,
  senderId: IsUserId,
  senderName: IsString,
  channelId: IsString,
  timestamp: IsUint,
});
export type Message = typeof IsMessage.infer;

/** A user who is in a room now. */
export const IsPresence = IsObject({ userId: IsUserId, name: IsString, channelId: IsString });
export type Presence = typeof IsPresence.infer;
