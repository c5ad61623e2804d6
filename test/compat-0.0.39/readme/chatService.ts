// README, "Connection Handler".
import type { tUint } from "@grest-ts/schema";
import type { WebSocketIncoming, WebSocketOutgoing } from "@grest-ts/websocket";
import { GG_USER_AUTH } from "./auth.js";
import type { ChatApiContract, IsSendMessageRequest, Message, tUserId } from "./chatApi.js";

export class ChatService {
  private connections = new Map<string, Set<WebSocketOutgoing<typeof ChatApiContract.methods.serverToClient>>>();

  handleConnection = (
    incoming: WebSocketIncoming<typeof ChatApiContract.methods.clientToServer>,
    outgoing: WebSocketOutgoing<typeof ChatApiContract.methods.serverToClient>,
  ): void => {
    const user = GG_USER_AUTH.get()!;

    // Track connection
    if (!this.connections.has(user.userId)) {
      this.connections.set(user.userId, new Set());
    }
    this.connections.get(user.userId)!.add(outgoing);

    // Handle client-to-server messages
    incoming.on({
      sendMessage: async (request) => {
        const message = await this.saveMessage(request, user.userId);
        this.broadcast(request.channelId, message);
        return { success: true, messageId: message.id };
      },

      markAsRead: async ({ messageId }) => {
        await this.markRead(messageId, user.userId);
      },

      ping: async () => {
        // No-op, keeps connection alive
      },
    });

    // Handle disconnect
    outgoing.onClose(() => {
      this.connections.get(user.userId)?.delete(outgoing);
    });
  };

  // Push messages to connected clients
  broadcast(_channelId: string, message: Message): void {
    for (const [_userId, conns] of this.connections) {
      // biome-ignore lint/suspicious/useIterableCallbackReturn: as the README writes it
      conns.forEach((conn) => conn.newMessage(message));
    }
  }

  notifyTyping(userId: string, channelId: string): void {
    for (const [uid, conns] of this.connections) {
      if (uid !== userId) {
        // biome-ignore lint/suspicious/useIterableCallbackReturn: as the README writes it
        conns.forEach((conn) => conn.typing({ userId, channelId }));
      }
    }
  }

  // What the example takes for granted, and what its test looks at.

  readonly read: string[] = [];

  private async saveMessage(request: typeof IsSendMessageRequest.infer, userId: string): Promise<Message> {
    return { id: "msg-456", text: request.text, senderId: userId as tUserId, timestamp: 1 as tUint };
  }

  private async markRead(messageId: string, userId: string): Promise<void> {
    this.read.push(`${userId} ${messageId}`);
  }

  connectionsOf(userId: string) {
    return [...(this.connections.get(userId) ?? [])];
  }
}
