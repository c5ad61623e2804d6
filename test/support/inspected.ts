import { ERROR, IsArray, IsNumber, IsObject, IsString } from "@grest-ts/schema";
import {
  defineSocketContract,
  type GGWebSocketClientConfig,
  type WebSocketIncoming,
  type WebSocketOutgoing,
  type WebSocketSchemaConfig,
  webSocketSchema,
} from "@grest-ts/websocket";
import type { GGInspectedFrame } from "@grest-ts/websocket/inspect";
import { onTestFinished } from "vitest";
import { Gate } from "./gate.js";
import { Queue } from "./queue.js";
import { recordingLogger, serveApi } from "./server.js";

export const SEEN_FULL = ERROR.define(
  "SEEN_FULL",
  409,
  IsObject({ holder: IsString.docs({ description: "[sensitive]" }), limit: IsNumber }),
);

const IsLogIn = IsObject({
  name: IsString,
  pin: IsString.docs({ description: "[sensitive] Only its owner knows it" }),
});

export const seenContract = defineSocketContract("Seen", {
  clientToServer: {
    echo: { input: IsString, success: IsString, errors: [SEEN_FULL] },
    logIn: { input: IsLogIn, success: IsObject({ user: IsLogIn, others: IsArray(IsLogIn) }) },
    wait: { success: IsString },
    note: { input: IsObject({ text: IsString }) },
  },
  serverToClient: { news: { input: IsString }, ask: { success: IsString } },
});

export const SeenApi = webSocketSchema(seenContract)
  .path("ws/seen")
  .use({
    parseHandshake({ headers }) {
      if (headers["x-who"] === "bad") throw new ERROR_FOR_TESTS();
    },
  })
  .done();

const ERROR_FOR_TESTS = ERROR.define("SEEN_REFUSED", 403);

export type SeenOutgoing = WebSocketOutgoing<typeof seenContract.methods.serverToClient>;

/** A server, and what its program gets. */
export async function seenServer(config: WebSocketSchemaConfig = {}) {
  const outgoings = new Queue<SeenOutgoing>();
  const waiting = new Queue<Gate<string>>();
  const notes = new Queue<string>();
  const handle = (
    incoming: WebSocketIncoming<typeof seenContract.methods.clientToServer>,
    outgoing: SeenOutgoing,
  ): void => {
    incoming.on({
      echo: (text) => {
        if (text === "full") throw new SEEN_FULL({ holder: "s3cret", limit: 3 }, { displayMessage: "It is full" });
        return text;
      },
      logIn: (user) => ({ user, others: [user] }),
      wait: () => {
        const gate = new Gate<string>();
        waiting.push(gate);
        return gate.passed;
      },
      note: ({ text }) => notes.push(text),
    });
    outgoings.push(outgoing);
  };
  return { ...(await serveApi(SeenApi, handle, config)), outgoings, waiting, notes };
}

/** A client of that server, not connected. */
export function seenClient(url: string, config: Partial<GGWebSocketClientConfig> = {}) {
  const news = new Queue<string>();
  const client = SeenApi.createClient({ url, logger: recordingLogger(), ...config });
  client.incoming.on({ news: (text) => news.push(text), ask: () => "here" });
  onTestFinished(() => client.close());
  return { client, news };
}

/** What is the same at both ends. */
export function wireOf({ kind, path, id, bytes, batch, result }: GGInspectedFrame) {
  return { kind, path, id, bytes, batch, result };
}

/** A short form: `→ request Seen.echo 1`. */
export function shortOf({ direction, kind, path, id, result, code }: GGInspectedFrame): string {
  const parts = [direction === "sent" ? "→" : "←", kind, path, id, result, code];
  return parts.filter((part) => part !== undefined).join(" ");
}
