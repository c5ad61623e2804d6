import { createHooks } from "@grest-ts/websocket/react";
import { BoardApi } from "../shared/BoardApi.js";
import { getToken } from "./session.js";

/** The one client of the page. It connects when its provider mounts, and again when the connection is lost. */
export const boardClient = BoardApi.createClient({
  url: "",
  reconnect: { initial: true },
  middlewares: [
    {
      // Runs before each handshake, so a token that has changed is used.
      updateHandshake: ({ headers }) => {
        headers.authorization = `Bearer ${getToken()}`;
      },
    },
  ],
});

export const { SocketProvider, useClient, useConnection, usePush, usePushState, useCall } = createHooks(BoardApi);
