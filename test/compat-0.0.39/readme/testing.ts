// README, "Testing".
import { VALIDATION_ERROR } from "@grest-ts/schema";
import { callOn } from "@grest-ts/websocket/testkit";
import { ChatApi } from "./chatApi.js";

/** The example, from its first line to its last. */
export async function testingExample() {
  const api = callOn(ChatApi);
  await api.connect();

  // Test client-to-server RPC
  await api.sendMessage({ text: "Hello", channelId: "general" }).toMatchObject({ success: true });

  // Test with expected error
  await api.sendMessage({ text: "", channelId: "general" }).toBeError(VALIDATION_ERROR);

  // Mock server-to-client messages
  await api.mock.newMessage.toMatchObject({ text: "Hello" });

  await api.disconnect();
}
