import { ERROR, IsNumber, IsObject, IsString } from "@grest-ts/schema";
import { defineSocketContract, type GGWebSocketClientConfig, webSocketSchema } from "@grest-ts/websocket";
import { onTestFinished } from "vitest";
import { RawServer } from "./rawPeer.js";
import { recordingLogger } from "./server.js";

export const FULL = ERROR.define("FULL", 409);

/** A small API for tests of the client against a raw server. */
export const probeContract = defineSocketContract("Probe", {
  clientToServer: {
    echo: { input: IsObject({ text: IsString.nonEmpty }), success: IsObject({ text: IsString }), errors: [FULL] },
    note: { input: IsObject({ text: IsString }) },
    ping: {},
  },
  serverToClient: {
    news: { input: IsObject({ text: IsString }) },
    ask: { success: IsNumber },
  },
});

export const ProbeApi = webSocketSchema(probeContract).path("ws/probe").done();

/** A client and the raw server that it is to connect to. */
export async function probe(config: Partial<GGWebSocketClientConfig> = {}) {
  const server = await RawServer.start();
  const logger = recordingLogger();
  const client = ProbeApi.createClient({ url: server.url, logger, ...config });
  onTestFinished(() => client.close());
  return { server, client, logger };
}

/** The same, connected. */
export async function connectedProbe(config: Partial<GGWebSocketClientConfig> = {}) {
  const { server, client, logger } = await probe(config);
  const accepted = server.accept();
  await client.connect();
  return { server, client, logger, peer: await accepted };
}

/** The display message of an error. */
export function displayed(result: { success: boolean; context?: { displayMessage?: string } } | unknown): string {
  return (result as { context?: { displayMessage?: string } }).context?.displayMessage ?? "";
}
