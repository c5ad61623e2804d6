import { once } from "node:events";
import type { Server } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocketServer } from "ws";
import { watchTheProcess } from "../hostile/watch.js";
import { haveEcosystem } from "../support/ecosystem.js";
import { RawPeer } from "../support/rawPeer.js";
import { endServer, type Hono, portOf, requirePackage } from "./hosts.js";
import { apiNamed, ask, clientOf, serveOn, upgradeStatus } from "./parts.js";

watchTheProcess();

interface NodeServer {
  serve(options: object): Server;
  upgradeWebSocket(events: () => { onMessage(event: { data: string }, ws: { send(text: string): void }): void }): never;
}

describe.skipIf(!haveEcosystem())("Hono with a WebSocket of its own", () => {
  it("keeps it beside an API", async () => {
    const { Hono } = requirePackage("hono") as { readonly Hono: new () => Hono };
    const { serve, upgradeWebSocket } = requirePackage("@hono/node-server") as NodeServer;
    const app = new Hono();
    app.get(
      "/echo",
      upgradeWebSocket(() => ({ onMessage: ({ data }, ws) => ws.send(`echo ${data}`) })),
    );
    app.get("/hello", (context) => context.text("hello"));
    const server = serve({
      fetch: app.fetch,
      port: 0,
      hostname: "127.0.0.1",
      websocket: { server: new WebSocketServer({ noServer: true }) },
    });
    onTestFinished(() => endServer(server));
    const Chat = apiNamed("Chat");
    serveOn(server, Chat);
    await once(server, "listening");
    const url = `http://127.0.0.1:${portOf(server)}`;

    const { client } = clientOf(Chat, url);
    await client.connect();
    expect(await client.outgoing.greet("Ann")).toBe("Hello Ann from Chat");
    const peer = await RawPeer.open(`${url.replace("http", "ws")}/echo`);
    peer.send("hi");
    expect(await peer.next()).toBe("echo hi");
    expect(await client.outgoing.greet("Bo")).toBe("Hello Bo from Chat");
    expect((await ask(`${url}/hello`)).body).toBe("hello");
    expect(await upgradeStatus(`${url}/ws/Chat`)).toBe(101);
  });
});
