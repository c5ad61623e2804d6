// README, "Typed Client via createClient()".
import type { VALIDATION_ERROR } from "@grest-ts/schema";
import { ChatApi } from "./chatApi.js";

/** The example, from its first line to its last; the URL is the test's. */
export async function clientExample(
  url: string,
  showValidationErrors: (issues: (typeof VALIDATION_ERROR.infer)["data"]) => void,
  beforeDisconnect: () => Promise<void>,
) {
  // Create the client (disconnected)
  const client = ChatApi.createClient({ url });

  // Register handlers for serverToClient messages — Partial, only what you need
  client.incoming.on({
    newMessage: (message) => {
      console.log("New message:", message);
    },
    typing: (event) => {
      console.log(event.userId, "is typing");
    },
    // Server-requests-client RPC (has `success` in contract) — return a value
    areYouThere: async () => true,
  });

  // Lifecycle callbacks can be registered before connect
  client.onClose(() => console.log("Disconnected"));
  client.onError((err) => console.error("Socket error:", err));

  // Establish the connection (runs handshake + applies pending handlers)
  await client.connect();

  // Call clientToServer methods — returns GGPromise like the HTTP client
  const response = await client.outgoing.sendMessage({
    text: "Hello!",
    channelId: "general",
  });
  // response is typed: { success: true, messageId: "msg-456" }

  // Fire-and-forget methods (no `success` in contract) — returns Promise<void>
  await client.outgoing.markAsRead({ messageId: "msg-123" });
  await client.outgoing.ping();

  // Error handling — same GGPromise API as the HTTP client
  const result = await client.outgoing.sendMessage({ text: "", channelId: "general" }).asResult();
  if (result.success) {
    console.log(result.data.messageId);
  } else if (result.type === "VALIDATION_ERROR") {
    showValidationErrors(result.data);
  }

  await beforeDisconnect();

  // Gracefully close (waits for pending requests), or close() for immediate termination
  await client.disconnect();

  return response;
}
