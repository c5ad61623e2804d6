import { Client, Server } from "rpc-websockets";

export default {
  async serve() {
    const server = new Server({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
    server.register("send", ({ text, channelId }) => ({ success: true, messageId: `${channelId}-${text.length}` }));
    await new Promise((resolve) => server.on("listening", resolve));
    return { port: server.wss.address().port, connections: () => server.wss.clients.size };
  },

  async connect(port) {
    const client = new Client(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
    await new Promise((resolve) => client.on("open", resolve));
    return { call: (data) => client.call("send", data), close: () => client.close() };
  },
};
