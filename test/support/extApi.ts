import { IsNumber, IsObject, IsString } from "@grest-ts/schema";
import {
  defineSocketContract,
  GG_WS_MESSAGE,
  type WebSocketOutgoing,
  type WebSocketSchemaConfig,
  webSocketSchema,
} from "@grest-ts/websocket";
import { Gate } from "./gate.js";
import { Queue } from "./queue.js";
import { RawPeer } from "./rawPeer.js";
import { type RecordingLogger, recordingLogger, serve } from "./server.js";

/** A small API with both directions. */
export const extContract = defineSocketContract("Ext", {
  clientToServer: {
    echo: { input: IsString, success: IsString },
    /** Does not end before its gate opens or its signal is aborted. */
    wait: { input: IsString, success: IsString },
    note: { input: IsString },
    nest: { input: IsObject({ list: IsString.orUndefined }), success: IsString },
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
  const logger: RecordingLogger = recordingLogger();
  const outgoings = new Queue<ExtOutgoing>();
  const events = new Queue<string>();
  const gate = new Gate();
  const { url, server, http } = await serve((http) =>
    ExtApi.startServer(
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
      { http, logger, ...config },
    ),
  );
  return { base: url, url: `${url}/ws/ext`, server, http, logger, outgoings, events, gate };
}

/** A raw peer that announces these capabilities, and what the server answered. */
export async function capablePeer(url: string, capabilities: string): Promise<{ peer: RawPeer; accepted: string }> {
  const peer = await RawPeer.open(url);
  peer.send(`h:::${JSON.stringify({ "ws-capabilities": capabilities })}`);
  return { peer, accepted: await peer.next() };
}
