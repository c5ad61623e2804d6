// This package as an app uses it: validation, a middleware that sets a context key, permissions, metrics.
import { GGContextKey } from "@grest-ts/context";
import { GGHttpServer } from "@grest-ts/http";
import { GG_METRICS, GGMetricsStore } from "@grest-ts/metrics";
import { IsBoolean, IsObject, IsString, NOT_AUTHORIZED } from "@grest-ts/schema";
import { defineSocketContract, GGSocketGroup, webSocketSchema } from "@grest-ts/websocket";

const USER = new GGContextKey("bench_user", IsString);
const auth = {
  updateHandshake: (context) => {
    context.headers.authorization = "Bearer ann";
  },
  parseHandshake: ({ headers }) => {
    if (!headers.authorization) throw new NOT_AUTHORIZED();
    USER.set(headers.authorization.slice(7));
  },
};

export const Api = webSocketSchema(
  defineSocketContract("Bench", {
    clientToServer: {
      send: {
        input: IsObject({ text: IsString.nonEmpty, channelId: IsString }),
        success: IsObject({ success: IsBoolean, messageId: IsString }),
        permission: "chat:write",
      },
    },
    serverToClient: {
      news: { input: IsObject({ text: IsString, channelId: IsString }) },
      ask: { input: IsObject({ question: IsString }), success: IsObject({ answer: IsBoolean }) },
    },
  }),
)
  .path("ws/bench")
  .use(auth)
  .done();

export function grest(config) {
  return {
    async serve() {
      GG_METRICS.set(new GGMetricsStore());
      const http = new GGHttpServer({ port: 0 });
      const clients = new Set();
      const everybody = new GGSocketGroup(Api);
      const scopes = new Set(["chat:write"]);
      Api.register(
        (incoming, outgoing) => {
          clients.add(outgoing);
          everybody.add(outgoing);
          outgoing.onClose(() => clients.delete(outgoing));
          incoming.on({
            send: async ({ text, channelId }) => {
              USER.get();
              return { success: true, messageId: `${channelId}-${text.length}` };
            },
          });
        },
        { http, permissionResolver: () => scopes, ...config },
      );
      await http.start();
      return {
        port: http.port,
        connections: () => clients.size,
        broadcast: (data) => everybody.news(data),
        loop(data) {
          for (const client of clients) client.news(data);
        },
        async ask() {
          const [client] = clients;
          await client.ask({ question: "here?" });
        },
      };
    },

    async connect(port, onNews) {
      const client = Api.createClient({ url: `ws://127.0.0.1:${port}`, ...config });
      client.incoming.on({ news: onNews, ask: async () => ({ answer: true }) });
      await client.connect();
      return { call: (data) => client.outgoing.send(data), close: () => client.close() };
    },
  };
}

export default grest({});
/** As with a peer of 0.0.39, which supports neither batches nor other extensions. */
export const plain = grest({ capabilities: [] });
