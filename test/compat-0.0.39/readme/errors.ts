// README, "Contract Errors" and "Throwing Errors in Handlers".
import { ERROR, IsBoolean, IsObject, IsString, NOT_FOUND, SERVER_ERROR } from "@grest-ts/schema";
import { defineSocketContract, type WebSocketIncoming, webSocketSchema } from "@grest-ts/websocket";

export const ROOM_FULL = ERROR.define("ROOM_FULL", 400);

export const ChatApiContract = defineSocketContract("ChatApi", {
  clientToServer: {
    joinRoom: {
      input: IsObject({ roomId: IsString }),
      success: IsObject({ joined: IsBoolean }),
      errors: [ROOM_FULL, NOT_FOUND, SERVER_ERROR],
    },
  },
  serverToClient: {},
});

export const ChatApi = webSocketSchema(ChatApiContract).path("ws/chat").done();

async function findRoom(roomId: string): Promise<{ isFull: boolean } | undefined> {
  return roomId === "nowhere" ? undefined : { isFull: roomId === "full" };
}

export function handleConnection(incoming: WebSocketIncoming<typeof ChatApiContract.methods.clientToServer>): void {
  incoming.on({
    joinRoom: async ({ roomId }) => {
      const room = await findRoom(roomId);
      if (!room) throw new NOT_FOUND();
      if (room.isFull) throw new ROOM_FULL();
      return { joined: true };
    },
  });
}
