// README, "Contract Method Types".
import { IsObject, IsString, SERVER_ERROR, VALIDATION_ERROR } from "@grest-ts/schema";
import { defineSocketContract } from "@grest-ts/websocket";

const IsUpdateRequest = IsObject({ id: IsString });
const IsUpdateResponse = IsObject({ revision: IsString });
const IsNotifyRequest = IsObject({ text: IsString });

export const MyApiContract = defineSocketContract("MyApi", {
  clientToServer: {
    // Request-response: has input + success + errors
    // Client sends a request, server returns a typed response
    update: {
      input: IsUpdateRequest,
      success: IsUpdateResponse,
      errors: [VALIDATION_ERROR, SERVER_ERROR],
    },
    // Fire-and-forget with data: has input only
    // Client sends data, does not wait for a response
    notify: {
      input: IsNotifyRequest,
    },
    // Fire-and-forget without data: empty object
    ping: {},
  },
  serverToClient: {
    // Same patterns apply for server-to-client messages
  },
});
