import { createTRPCClient, createWSClient, wsLink } from "@trpc/client";
import { initTRPC } from "@trpc/server";
import { applyWSSHandler } from "@trpc/server/adapters/ws";
import { WebSocket, WebSocketServer } from "ws";
import { z } from "zod";
import { listening } from "../lib/ws.js";

export default {
  async serve() {
    const t = initTRPC.create();
    const router = t.router({
      send: t.procedure
        .input(z.object({ text: z.string().min(1), channelId: z.string() }))
        .output(z.object({ success: z.boolean(), messageId: z.string() }))
        .mutation(({ input }) => ({ success: true, messageId: `${input.channelId}-${input.text.length}` })),
    });
    const wss = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
    applyWSSHandler({ wss, router });
    return { port: await listening(wss), connections: () => wss.clients.size };
  },

  async connect(port) {
    let isOpen = () => {};
    const open = new Promise((resolve) => {
      isOpen = resolve;
    });
    const client = createWSClient({ url: `ws://127.0.0.1:${port}`, WebSocket, onOpen: isOpen });
    const api = createTRPCClient({ links: [wsLink({ client })] });
    await open;
    return { call: (data) => api.send.mutate(data), close: () => client.close() };
  },
};
