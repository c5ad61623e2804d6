/**
 * A program of its own: serves, is called, tears down, and must then end by itself. Its argument says what is still
 * going on at the teardown.
 */
import { GGHttpServer } from "@grest-ts/http";
import { IsString } from "@grest-ts/schema";
import { defineSocketContract, webSocketSchema } from "@grest-ts/websocket";
import { WebSocket } from "ws";

const scenario = process.argv[2];
const Api = webSocketSchema(
  defineSocketContract("Once", {
    clientToServer: { greet: { input: IsString, success: IsString } },
    serverToClient: { ask: { success: IsString }, bye: {} },
  }),
)
  .path("ws/once")
  .done();

const quiet = { debug() {}, warn() {}, error() {} };
const http = new GGHttpServer({ port: 0 });
Api.register(
  async (incoming, outgoing) => {
    outgoing.onClose(() => console.log("closed"));
    if (scenario === "no handlers") return;
    incoming.on({ greet: (name) => `hello ${name}` });
    if (scenario === "pending call") outgoing.ask(undefined, { timeout: 300 });
  },
  {
    http,
    logger: quiet,
    middlewares: [{ process: () => (scenario === "stuck handshake" ? new Promise(() => {}) : Promise.resolve()) }],
  },
);
await http.start();

const ws = new WebSocket(`ws://127.0.0.1:${http.port}/ws/once`);
await new Promise((resolve) => ws.once("open", resolve));
const frame = () => new Promise<string>((resolve) => ws.once("message", (data) => resolve(data.toString())));

if (scenario !== "no handshake") {
  ws.send("h:::{}");
  if (scenario !== "stuck handshake") {
    console.log(await frame());
    ws.send('r:Once.greet:1:"you"');
    if (scenario !== "no handlers") {
      let reply = await frame();
      if (reply.startsWith("r:")) reply = await frame();
      console.log(reply);
    }
  }
}
const closed = new Promise((resolve) => ws.once("close", resolve));
await http.teardown();
console.log(await closed);
await new Promise((resolve) => setImmediate(resolve));
const timers = process.getActiveResourcesInfo().filter((resource) => resource === "Timeout");
console.log("torn down", ...timers);
