// README, "Defining a Contract".
import { IsBoolean, IsObject, IsString, IsUint, SERVER_ERROR, VALIDATION_ERROR } from "@grest-ts/schema";
import { defineSocketContract, webSocketSchema } from "@grest-ts/websocket";

// ---------------------------------------------------------
// Type Schemas
// ---------------------------------------------------------
export const IsUserId = IsString.brand("UserId");
export type tUserId = typeof IsUserId.infer;

export const IsMessage = IsObject({
  id: IsString,
  text: IsString,
  senderId: IsUserId,
  timestamp: IsUint,
});
export type Message = typeof IsMessage.infer;

export const IsSendMessageRequest = IsObject({
  text: IsString.nonEmpty,
  channelId: IsString,
});

export const IsSendMessageResponse = IsObject({
  success: IsBoolean,
  messageId: IsString,
});

export const IsTypingEvent = IsObject({
  userId: IsUserId,
  channelId: IsString,
});

// ---------------------------------------------------------
// Contract & API
// ---------------------------------------------------------
export const ChatApiContract = defineSocketContract("ChatApi", {
  clientToServer: {
    // RPC: client sends a request, server responds
    sendMessage: {
      input: IsSendMessageRequest,
      success: IsSendMessageResponse,
      errors: [VALIDATION_ERROR, SERVER_ERROR],
    },
    // Fire-and-forget: no response expected
    markAsRead: {
      input: IsObject({ messageId: IsString }),
    },
    ping: {},
  },
  serverToClient: {
    // Push: server sends data to client
    newMessage: {
      input: IsMessage,
    },
    typing: {
      input: IsTypingEvent,
    },
    // Server can also request a response from the client
    areYouThere: {
      success: IsBoolean,
      errors: [SERVER_ERROR],
    },
  },
});

export const ChatApi = webSocketSchema(ChatApiContract).path("ws/chat").done();
