import { IsNumber, IsObject, IsString, IsUnknown } from "@grest-ts/schema";
import {
  defineSocketContract,
  GG_WS_MESSAGE,
  type WebSocketOutgoing,
  type WebSocketSchemaConfig,
  webSocketSchema,
} from "@grest-ts/websocket";
import { Gate } from "./gate.js";
import { Queue } from "./queue.js";
import { serveApi } from "./server.js";

/** A small API with both directions. */
export const extContract = defineSocketContract("Ext", {
  clientToServer: {
    echo: { input: IsString, success: IsString },
    /** Does not end before its gate opens or its signal is aborted. */
    wait: { input: IsString, success: IsString },
    note: { input: IsString },
    nest: { input: IsObject({ list: IsString.orUndefined, more: IsUnknown.orUndefined }), success: IsString },
  },
  serverToClient: {
    news: { input: IsObject({ text: IsString, n: IsNumber.orUndefined }) },
    ask: { input: IsString, success: IsString },
  },
});

export const ExtApi = webSocketSchema(extContract).path("ws/ext").done();
export type ExtOutgoing = WebSocketOutgoing<typeof extContract.methods.serverToClient>;

/** A server of it. */
export async function serveExt(config: WebSocketSchemaConfig = {}) {
  const outgoings = new Queue<ExtOutgoing>();
  const events = new Queue<string>();
  const gate = new Gate();
  const served = await serveApi(
    ExtApi,
    (incoming, outgoing) => {
      outgoings.push(outgoing);
      incoming.on({
        echo: (text) => text,
        async wait(text) {
          const { signal } = GG_WS_MESSAGE.assert();
          signal.addEventListener("abort", () => events.push(`aborted ${text}`));
          events.push(`begun ${text}`);
          await gate.passed;
          return `${text} ${signal.aborted}`;
        },
        note: (text) => void events.push(`note ${text}`),
        nest: () => "fine",
      });
    },
    config,
  );
  return { ...served, outgoings, events, gate };
}
