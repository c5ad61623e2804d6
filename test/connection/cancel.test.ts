import { IsBoolean, IsString } from "@grest-ts/schema";
import { describe, expect, it, onTestFinished } from "vitest";
import { defineSocketContract, GG_WS_MESSAGE, webSocketSchema } from "../../src/index.js";
import { ExtApi, serveExt } from "../support/extApi.js";
import { Gate } from "../support/gate.js";
import { Queue } from "../support/queue.js";
import { RawPeer, RawServer } from "../support/rawPeer.js";
import { recordingLogger, serveApi } from "../support/server.js";

async function connectedClient(url: string) {
  const client = ExtApi.createClient({ url, logger: recordingLogger() });
  onTestFinished(() => client.close());
  await client.connect();
  return client;
}

describe("cancel", () => {
  it("aborts the handler's signal on the caller's abort and on its time-out", async () => {
    const { base, events, gate } = await serveExt();
    const client = await connectedClient(base);
    const controller = new AbortController();
    const aborted = client.outgoing.wait("a", { signal: controller.signal }).asResult();
    expect(await events.next()).toBe("begun a");
    controller.abort();
    expect(await aborted).toMatchObject({ success: false, type: "SERVER_ERROR" });
    expect(await events.next()).toBe("aborted a");

    const late = client.outgoing.wait("b", { timeout: 20 }).asResult();
    expect(await events.take(2)).toEqual(["begun b", "aborted b"]);
    expect(await late).toMatchObject({ success: false });
    gate.open();
    // Other requests are not affected, and late replies are ignored.
    expect(await client.outgoing.wait("c")).toBe("c false");
  });

  it("aborts the handlers of a connection that ends, and no others", async () => {
    const { url, events, gate } = await serveExt();
    const [one, two] = [await RawPeer.connect(url), await RawPeer.connect(url)];
    one.send('r:Ext.wait:1:"a"');
    expect(await events.next()).toBe("begun a");
    two.send('r:Ext.wait:1:"b"');
    expect(await events.next()).toBe("begun b");
    one.ws.terminate();
    expect(await events.next()).toBe("aborted a");
    gate.open();
    expect(await two.next()).toBe('s:Ext.wait:1:{"success":true,"type":"OK","data":"b false"}');
  });

  it("aborts only the request that it names, also when its handler asks for the signal later", async () => {
    const { url, events, gate } = await serveExt();
    const { peer } = await RawPeer.connectWith(url, "cancel");
    peer.send('r:Ext.wait:1:"a"', 'r:Ext.wait:2:"b"', "c:Ext.wait:2:", "c:Ext.wait:99:", "c:::");
    expect(await events.take(3)).toEqual(["begun a", "begun b", "aborted b"]);
    gate.open();
    expect((await peer.frames.take(2)).sort()).toEqual([
      's:Ext.wait:1:{"success":true,"type":"OK","data":"a false"}',
      's:Ext.wait:2:{"success":true,"type":"OK","data":"b true"}',
    ]);
  });

  it("reaches a handler that asks for the signal only after it came", async () => {
    const gate = new Gate();
    const working = new Gate();
    const Api = webSocketSchema(
      defineSocketContract("Late", { clientToServer: { ask: { success: IsBoolean } }, serverToClient: {} }),
    )
      .path("ws/late")
      .done();
    const { url } = await serveApi(Api, (incoming) =>
      incoming.on({
        async ask() {
          working.open();
          await gate.passed;
          return GG_WS_MESSAGE.assert().signal.aborted;
        },
      }),
    );
    const { peer } = await RawPeer.connectWith(url, "cancel");
    peer.send("r:Late.ask:1:", "r:Late.ask:2:", "c:Late.ask:2:");
    await working.passed;
    await peer.roundTrip();
    gate.open();
    const replies = await peer.frames.take(2);
    expect(replies.map((reply) => /data":(\w+)/.exec(reply)?.[1])).toEqual(["false", "true"]);
  });

  it("that crosses its reply is dropped, and does not affect later requests", async () => {
    const gates = new Map<string, Gate>();
    const working = new Queue<string>();
    const Api = webSocketSchema(
      defineSocketContract("Crossed", {
        clientToServer: { ask: { input: IsString, success: IsBoolean } },
        serverToClient: {},
      }),
    )
      .path("ws/crossed")
      .done();
    const { url } = await serveApi(Api, (incoming) =>
      incoming.on({
        async ask(name) {
          const gate = new Gate();
          gates.set(name, gate);
          working.push(name);
          await gate.passed;
          return GG_WS_MESSAGE.assert().signal.aborted;
        },
      }),
    );
    const { peer } = await RawPeer.connectWith(url, "cancel");
    peer.send('r:Crossed.ask:1:"a"', 'r:Crossed.ask:2:"b"');
    await working.take(2);
    gates.get("a")?.open();
    expect(await peer.next()).toContain(":1:{");
    // In transit when the reply came.
    peer.send("c:Crossed.ask:1:", "c:Crossed.ask:2:");
    await peer.roundTrip();
    gates.get("b")?.open();
    expect(await peer.next()).toBe('s:Crossed.ask:2:{"success":true,"type":"OK","data":true}');
  });

  it("is ignored when it was not agreed on", async () => {
    const { url, events, gate } = await serveExt();
    const peer = await RawPeer.connect(url);
    peer.send('r:Ext.wait:1:"a"', "c:Ext.wait:1:");
    expect(await events.next()).toBe("begun a");
    gate.open();
    expect(await peer.next()).toContain('"a false"');
  });

  it("is sent once for a request that was sent, and never to a server that has not agreed", async () => {
    const server = await RawServer.start();
    const client = ExtApi.createClient({ url: server.url, logger: recordingLogger() });
    onTestFinished(() => client.close());
    const connecting = client.connect();
    const peer = await server.connections.next();
    await peer.next();
    peer.send('k:::{"ws-capabilities":"cancel"}');
    await connecting;
    const controller = new AbortController();
    const call = client.outgoing.wait("a", { signal: controller.signal }).asResult();
    expect(await peer.next()).toBe('r:Ext.wait:1:"a"');
    controller.abort();
    await call;
    expect(await peer.next()).toBe("c:Ext.wait:1:");

    const plain = ExtApi.createClient({ url: server.url, logger: recordingLogger() });
    onTestFinished(() => plain.close());
    const accepted = server.accept();
    await plain.connect();
    const old = await accepted;
    await plain.outgoing.wait("a", { timeout: 5 }).asResult();
    void plain.outgoing.echo("b");
    expect(await old.frames.take(2)).toEqual(['r:Ext.wait:1:"a"', 'r:Ext.echo:2:"b"']);
  });

  it("works from the server to the client too", async () => {
    const { base, outgoings } = await serveExt();
    const client = ExtApi.createClient({ url: base, logger: recordingLogger() });
    onTestFinished(() => client.close());
    const events = new Queue<string>();
    client.incoming.on({
      ask: (text) => {
        const { signal } = GG_WS_MESSAGE.assert();
        signal.addEventListener("abort", () => events.push(`aborted ${text}`));
        return new Promise(() => {});
      },
    });
    await client.connect();
    const outgoing = await outgoings.next();
    await outgoing.ask("x", { timeout: 10 }).asResult();
    expect(await events.next()).toBe("aborted x");
  });
});
