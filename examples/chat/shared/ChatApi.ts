import {
  ERROR,
  IsArray,
  IsBoolean,
  IsObject,
  IsString,
  NOT_FOUND,
  SERVER_ERROR,
  VALIDATION_ERROR,
} from "@grest-ts/schema";
import { defineSocketContract, webSocketSchema } from "@grest-ts/websocket";
import { auth } from "./auth/auth.js";
import { IsMessage, IsPresence, IsUserId } from "./model.js";

export const ROOM_FULL = ERROR.define("ROOM_FULL", 400);
export const NOT_IN_ROOM = ERROR.define("NOT_IN_ROOM", 409);

/** The longest message. */
export const MAX_TEXT = 2000;

export const IsSendMessageRequest = IsObject({
  text: IsString.trim.nonEmpty.maxLength(MAX_TEXT),
  channelId: IsString,
  /** The id of the message, chosen by its sender: known before the reply, which may be lost, and never sent twice. */
  messageId: IsString.regex(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/).orUndefined,
});

export type SendMessageRequest = typeof IsSendMessageRequest.infer;

export const IsSendMessageResponse = IsObject({ success: IsBoolean, messageId: IsString });

export const IsTypingEvent = IsObject({ userId: IsUserId, name: IsString, channelId: IsString });
export type TypingEvent = typeof IsTypingEvent.infer;

export const IsReadEvent = IsObject({ messageId: IsString, userId: IsUserId, name: IsString });
export type ReadEvent = typeof IsReadEvent.infer;

/** That a message was sent in a room. */
export const IsRoomNews = IsObject({ channelId: IsString, senderId: IsUserId });
export type RoomNews = typeof IsRoomNews.infer;

export const ChatApiContract = defineSocketContract("ChatApi", {
  clientToServer: {
    joinRoom: {
      docs: { description: "Moves this connection into a room; it is in one room at a time." },
      input: IsObject({ roomId: IsString }),
      /** `node` names the server process, where there are several. */
      success: IsObject({ joined: IsBoolean, node: IsString.orUndefined }),
      errors: [ROOM_FULL, NOT_FOUND, SERVER_ERROR],
    },
    sendMessage: {
      docs: { description: "Sends a message to all who are in the room, the sender included." },
      input: IsSendMessageRequest,
      success: IsSendMessageResponse,
      errors: [NOT_IN_ROOM, VALIDATION_ERROR, SERVER_ERROR],
    },
    startTyping: { input: IsObject({ channelId: IsString }) },
    markAsRead: { input: IsObject({ messageId: IsString }) },
  },
  serverToClient: {
    newMessage: { input: IsMessage },
    roomNews: { input: IsRoomNews, docs: { description: "A message was sent in another room." } },
    typing: { input: IsTypingEvent },
    messageRead: { input: IsReadEvent },
    presence: {
      docs: { description: "All members of rooms, sent on every change." },
      input: IsObject({ online: IsArray(IsPresence) }),
    },
    areYouThere: {
      docs: { description: "Sent before a name is assigned to another user." },
      success: IsBoolean,
      errors: [SERVER_ERROR],
    },
  },
});

/** The name of the group of those who are in a room, as both ends know it. */
export const groupOfRoom = (roomId: string): string => `room:${roomId}`;

export const ChatApi = webSocketSchema(ChatApiContract).path("ws/chat").use(auth).done();
