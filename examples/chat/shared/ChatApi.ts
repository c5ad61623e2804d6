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

export const IsSendMessageRequest = IsObject({
  text: IsString.trim.nonEmpty.maxLength(2000),
  channelId: IsString,
});

export const IsSendMessageResponse = IsObject({ success: IsBoolean, messageId: IsString });

export const IsTypingEvent = IsObject({ userId: IsUserId, name: IsString, channelId: IsString });
export type TypingEvent = typeof IsTypingEvent.infer;

export const IsReadEvent = IsObject({ messageId: IsString, userId: IsUserId, name: IsString });
export type ReadEvent = typeof IsReadEvent.infer;

export const ChatApiContract = defineSocketContract("ChatApi", {
  clientToServer: {
    /** Moves this connection into a room; it is in one room at a time. */
    joinRoom: {
      input: IsObject({ roomId: IsString }),
      /** `node` names the server process, where there are several. */
      success: IsObject({ joined: IsBoolean, node: IsString.orUndefined }),
      errors: [ROOM_FULL, NOT_FOUND, SERVER_ERROR],
    },
    sendMessage: {
      input: IsSendMessageRequest,
      success: IsSendMessageResponse,
      errors: [NOT_IN_ROOM, VALIDATION_ERROR, SERVER_ERROR],
    },
    startTyping: { input: IsObject({ channelId: IsString }) },
    markAsRead: { input: IsObject({ messageId: IsString }) },
    ping: {},
  },
  serverToClient: {
    newMessage: { input: IsMessage },
    typing: { input: IsTypingEvent },
    messageRead: { input: IsReadEvent },
    /** All members of rooms, sent on every change. */
    presence: { input: IsObject({ online: IsArray(IsPresence) }) },
    /** Sent before a name is assigned to another user. */
    areYouThere: { success: IsBoolean, errors: [SERVER_ERROR] },
  },
});

/** The name of the group of a room, as both ends know it. */
export const groupOfRoom = (roomId: string): string => `room:${roomId}`;

export const ChatApi = webSocketSchema(ChatApiContract).path("ws/chat").use(auth).done();
