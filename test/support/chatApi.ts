import { IsArray, IsBoolean, IsObject, IsString, IsUint, SERVER_ERROR, VALIDATION_ERROR } from "@grest-ts/schema";
import { defineSocketContract, webSocketSchema } from "@grest-ts/websocket";

export const IsUserId = IsString.brand("UserId");

export const IsMessage = IsObject({ id: IsString, text: IsString, senderId: IsUserId, timestamp: IsUint });

/** The README's contract. */
export const ChatApiContract = defineSocketContract("ChatApi", {
  clientToServer: {
    sendMessage: {
      input: IsObject({ text: IsString.nonEmpty, channelId: IsString }),
      success: IsObject({ success: IsBoolean, messageId: IsString }),
      errors: [VALIDATION_ERROR, SERVER_ERROR],
    },
    markAsRead: { input: IsObject({ messageId: IsString }) },
    ping: {},
  },
  serverToClient: {
    newMessage: { input: IsMessage },
    typing: { input: IsObject({ userId: IsUserId, channelId: IsString }) },
    areYouThere: { success: IsBoolean, errors: [SERVER_ERROR] },
  },
});

export const ChatApi = webSocketSchema(ChatApiContract).path("ws/chat").done();
void IsArray;
