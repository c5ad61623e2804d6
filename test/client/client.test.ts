import { getEventListeners, once } from "node:events";
import { createServer } from "node:net";
import { GGContext, GGContextKey } from "@grest-ts/context";
import { GG_DISCOVERY, GGLocalDiscovery } from "@grest-ts/discovery";
import {
  ERROR,
  FORBIDDEN,
  IsObject,
  IsString,
  NOT_AUTHORIZED,
  NOT_FOUND,
  SERVER_ERROR,
  VALIDATION_ERROR,
} from "@grest-ts/schema";
import { GG_WS_CONNECTION, webSocketSchema } from "@grest-ts/websocket";
import { describe, expect, it, onTestFinished } from "vitest";
import { connectedProbe, displayed, FULL, ProbeApi, probe, probeContract } from "../support/probe.js";
import { Queue } from "../support/queue.js";
import { RawServer } from "../support/rawPeer.js";
import { serveApi } from "../support/server.js";

const rejection = async (promise: Promise<unknown>): Promise<ERROR> => {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ERROR);
  return error as ERROR;
};

describe("connecting", () => {
  it("joins an attempt that is under way, and a connection that is there", async () => {
    const { server, client } = await probe();
    const accepted = server.accept();
    await Promise.all([client.connect(), client.connect()]);
    await accepted;
    await client.connect();
    expect(server.count).toBe(1);
    expect(client.isConnected).toBe(true);
  });

  it("connects again after disconnect() and after close(), with its handlers", async () => {
    const { server, client } = await probe();
    const news = new Queue<string>();
    client.incoming.on({ news: ({ text }) => news.push(text) });
    for (const end of [() => client.disconnect(), async () => client.close(), async () => {}]) {
      const accepted = server.accept('m:Probe.news::{"text":"hi"}');
      await client.connect();
      const peer = await accepted;
      expect(await news.next()).toBe("hi");
      await end();
      if (!client.isConnected) await peer.closed;
    }
    expect(server.count).toBe(3);
    expect(news.unseen).toEqual([]);
  });

  it("may connect again while the former connection is still closing", async () => {
    const { server, client, peer } = await connectedProbe();
    client.close();
    const accepted = server.accept();
    await client.connect();
    await peer.closed;
    await accepted;
    expect(client.isConnected).toBe(true);
    expect(await client.outgoing.ping().asResult()).toMatchObject({ success: true });
  });

  it("rejects with the error that the server refused with", async () => {
    const { server, client } = await probe();
    const connecting = rejection(client.connect());
    const peer = await server.connections.next();
    await peer.next();
    peer.send(
      'x:::{"success":false,"type":"FORBIDDEN","statusCode":403,"context":{"displayMessage":"not you","ref":"R1"}}',
    );
    peer.ws.close(4001, "Handshake failed");
    const error = await connecting;
    expect(error).toBeInstanceOf(FORBIDDEN);
    expect(error.context).toMatchObject({ displayMessage: "not you", ref: "R1" });
    expect(client.isConnected).toBe(false);
  });

  it.each([
    'x:::{"message":"Error: plain"}',
    "x:::",
    "x:::{oops",
    'x:::{"success":false,"type":"MADE_UP","context":null}',
  ])("rejects with SERVER_ERROR when the refusal is %s", async (frame) => {
    const { server, client } = await probe();
    const connecting = rejection(client.connect());
    const peer = await server.connections.next();
    peer.send(frame);
    expect(await connecting).toBeInstanceOf(SERVER_ERROR);
    expect(await peer.closed).toEqual({ code: 1000, reason: "" });
  });

  it.each([
    ["of the framework", NOT_FOUND],
    ["that the contract declares", FULL],
  ])("rejects with the class of an error %s", async (_whose, errorClass) => {
    const { server, client } = await probe();
    const connecting = rejection(client.connect());
    const peer = await server.connections.next();
    peer.send(
      `x:::{"success":false,"type":"${errorClass.TYPE}","statusCode":404,"context":{"displayMessage":"no tenant"}}`,
    );
    const error = await connecting;
    expect(error).toBeInstanceOf(errorClass);
    expect(displayed(error)).toBe("no tenant");
  });

  it("rejects at once with VALIDATION_ERROR when the server closes with 4000", async () => {
    const { server, client } = await probe();
    const connecting = rejection(client.connect());
    (await server.connections.next()).ws.close(4000, "Invalid query parameters");
    const error = await connecting;
    expect(error).toBeInstanceOf(VALIDATION_ERROR);
    expect(displayed(error)).toMatch(
      /Probe: could not connect to .*\/ws\/probe: closed with 4000 \(Invalid query parameters\)/,
    );
  });

  it("checks the query by the schema's validator before it connects", async () => {
    const server = await RawServer.start();
    const Api = webSocketSchema(probeContract)
      .path("ws/q")
      .queryOnConnect(IsObject({ room: IsString.nonEmpty }))
      .done();
    const error = await rejection(Api.createClient({ url: server.url, query: { room: "" } }).connect());
    expect(error).toBeInstanceOf(VALIDATION_ERROR);
    expect(server.count).toBe(0);
  });

  it("rejects with a SERVER_ERROR that says why: no server, no such path, closed early, not a URL", async () => {
    const unused = createServer().listen(0, "127.0.0.1");
    await once(unused, "listening");
    const port = (unused.address() as { port: number }).port;
    unused.close();
    await once(unused, "close");
    const refused = await rejection(
      ProbeApi.createClient({ url: `ws://127.0.0.1:${port}`, query: undefined }).connect(),
    );
    expect(refused).toBeInstanceOf(SERVER_ERROR);
    expect(displayed(refused)).toMatch(
      /Probe: could not connect to ws:\/\/127\.0\.0\.1:\d+\/ws\/probe: .*ECONNREFUSED/,
    );

    const Other = webSocketSchema(probeContract).path("ws/other").done();
    const { base } = await serveApi(ProbeApi, () => {});
    expect(displayed(await rejection(Other.createClient({ url: base }).connect()))).toMatch(/404/);

    const { server, client } = await probe();
    const connecting = rejection(client.connect());
    (await server.connections.next()).ws.close(1013, "busy");
    expect(displayed(await connecting)).toMatch(/1013 \(busy\)/);

    expect(displayed(await rejection(ProbeApi.createClient({ url: "ftp://x" }).connect()))).toMatch(
      /"ftp:\/\/x" is not a ws/,
    );
    expect(displayed(await rejection(ProbeApi.createClient({ url: "" }).connect()))).toMatch(/there is no page here/);
  });

  it("takes http and https URLs too", async () => {
    const { base } = await serveApi(ProbeApi, () => {});
    const client = ProbeApi.createClient({ url: base.replace("ws:", "http:") });
    await client.connect();
    expect(client.isConnected).toBe(true);
    await client.disconnect();
  });

  it("gives up when it is closed while connecting", async () => {
    const { server, client } = await probe();
    const connecting = rejection(client.connect());
    const peer = await server.connections.next();
    client.close();
    expect(displayed(await connecting)).toMatch(/closed while connecting/);
    await peer.closed;
    expect(client.isConnected).toBe(false);
  });

  it("gives up when it is closed while beforeConnect() is running", async () => {
    const { server, client } = await probe({ beforeConnect: () => new Promise<void>(() => {}) });
    const connecting = rejection(client.connect());
    client.close();
    expect(displayed(await connecting)).toMatch(/closed while connecting/);
    expect(server.count).toBe(0);
  });

  it("rejects and closes when the set-up callback throws", async () => {
    const { server, client } = await probe();
    const accepted = server.accept();
    const error = await rejection(
      client.connect(() => {
        throw new NOT_AUTHORIZED({ displayMessage: "mine" });
      }),
    );
    expect(error).toBeInstanceOf(NOT_AUTHORIZED);
    await (await accepted).closed;
    expect(client.isConnected).toBe(false);
  });

  it("runs the schema's middlewares, then its own, and lets beforeConnect() replace url, query and both", async () => {
    const server = await RawServer.start();
    const add = (name: string) => ({
      updateHandshake: (context: { headers: Record<string, string> }) => {
        context.headers.order = `${context.headers.order ?? ""}${name}`;
      },
    });
    const Api = webSocketSchema(probeContract)
      .path("/ws/probe")
      .use(add("a"))
      .use(add("b"))
      .queryOnConnect<{ n: string }>()
      .done();
    const fixed = Api.createClient({ url: server.url, query: { n: "1" }, middlewares: [add("c")] });
    onTestFinished(() => fixed.close());
    const first = server.accept();
    await fixed.connect();
    expect(await first).toMatchObject({ requestUrl: "/ws/probe?n=1", headers: { order: "abc" } });

    const fresh = Api.createClient({
      url: "ws://127.0.0.1:1",
      beforeConnect: async () => ({ url: server.url, query: { n: "2" }, middlewares: [add("d")] }),
    });
    onTestFinished(() => fresh.close());
    const second = server.accept();
    await fresh.connect();
    expect(await second).toMatchObject({ requestUrl: "/ws/probe?n=2", headers: { order: "abd" } });
  });

  it("finds an API without a url through discovery, and says so when that fails", async () => {
    const orphan = await rejection(ProbeApi.createClient().connect());
    expect(displayed(orphan)).toMatch(/Probe: no url was given and no discovery client is set/);
    GG_DISCOVERY.set(new GGLocalDiscovery());
    const failed = await rejection(ProbeApi.createClient().connect());
    expect(displayed(failed)).toMatch(/Service discovery failed for WebSocket API Probe/);
    await serveApi(ProbeApi, (incoming) => incoming.on({ echo: async (data) => data, note() {}, ping() {} }));
    const client = ProbeApi.createClient();
    await client.connect();
    expect(await client.outgoing.echo({ text: "found" })).toEqual({ text: "found" });
    await client.disconnect();
  });
});

describe("calling", () => {
  it("settles a call before, during and after a connection with a SERVER_ERROR that says what to do", async () => {
    const { server, client } = await probe();
    const before = await client.outgoing.echo({ text: "a" }).asResult();
    expect(displayed(before)).toMatch(/Probe\.echo was not sent: the client is not connected: call connect\(\) first/);
    const connecting = client.connect();
    expect(displayed(await client.outgoing.echo({ text: "a" }).asResult())).toMatch(
      /is connecting: await connect\(\) first/,
    );
    const peer = await server.accept();
    await connecting;
    client.close();
    expect(displayed(await client.outgoing.echo({ text: "a" }).asResult())).toMatch(
      /not connected: call connect\(\) first/,
    );
    await peer.closed;
    await client.disconnect();
    expect(displayed(await client.outgoing.echo({ text: "a" }).asResult())).toMatch(/not connected/);
  });

  it("never throws synchronously nor raises an unhandled rejection for a call that is not awaited", async () => {
    const unhandled: unknown[] = [];
    const listener = (reason: unknown) => unhandled.push(reason);
    process.on("unhandledRejection", listener);
    onTestFinished(() => void process.off("unhandledRejection", listener));
    const { client, peer } = await connectedProbe();
    client.outgoing.echo({ text: "" });
    client.outgoing.echo({ text: "a" });
    await peer.next();
    peer.ws.terminate();
    client.close();
    client.outgoing.echo({ text: "a" });
    client.outgoing.ping();
    await new Promise((resolve) => setImmediate(resolve));
    expect(unhandled).toEqual([]);
  });

  it("times out by the call's own limit or the client's, and ignores the late reply", async () => {
    const { client, peer } = await connectedProbe({ timeout: 20 });
    const own = await client.outgoing.echo({ text: "a" }, { timeout: 10 }).asResult();
    expect(displayed(own)).toBe("Request timeout after 10 ms: Probe.echo was sent and may have run");
    const general = await client.outgoing.echo({ text: "b" }).asResult();
    expect(displayed(general)).toBe("Request timeout after 20 ms: Probe.echo was sent and may have run");
    await peer.frames.take(2);
    peer.send('s:Probe.echo:1:{"success":true,"type":"OK","data":{"text":"late"}}');
    const third = client.outgoing.echo({ text: "c" }, { timeout: 5_000 });
    expect(await peer.next()).toBe('r:Probe.echo:3:{"text":"c"}');
    peer.send('s:Probe.echo:3:{"success":true,"type":"OK","data":{"text":"C"}}');
    expect(await third).toEqual({ text: "C" });
  });

  it("gives a call up when its signal is aborted, before or after it was sent", async () => {
    const { client, peer } = await connectedProbe();
    const aborted = await client.outgoing.echo({ text: "a" }, { signal: AbortSignal.abort() }).asResult();
    expect(displayed(aborted)).toMatch(/Aborted by the caller: Probe\.echo was not sent/);
    const controller = new AbortController();
    const call = client.outgoing.echo({ text: "b" }, { signal: controller.signal }).asResult();
    expect(await peer.next()).toBe('r:Probe.echo:1:{"text":"b"}');
    controller.abort();
    expect(displayed(await call)).toMatch(/Aborted by the caller: Probe\.echo was sent and may have run/);
  });

  it("says whether a call was sent when it is aborted, or the connection drops, at once", async () => {
    const { server, client, peer } = await connectedProbe({ reconnect: { initialDelayMs: 1 } });
    const controller = new AbortController();
    const aborted = client.outgoing.echo({ text: "a" }, { signal: controller.signal }).asResult();
    controller.abort();
    expect(displayed(await aborted)).toContain("was sent and may have run");
    expect(await peer.next()).toBe('r:Probe.echo:1:{"text":"a"}');
    const cut = client.outgoing.echo({ text: "b" }).asResult();
    const anew = client.forceReconnect();
    expect(displayed(await cut)).toContain("was not sent");
    await peer.closed;
    expect(peer.frames.unseen).toEqual([]);
    await server.accept();
    await anew;
  });

  it("forgets a call that is settled: no listener stays on its signal, however it ended", async () => {
    const { client, peer } = await connectedProbe();
    const controller = new AbortController();
    const options = { signal: controller.signal };
    const answered = client.outgoing.echo({ text: "a" }, options).asResult();
    await peer.next();
    peer.send('s:Probe.echo:1:{"success":true,"type":"OK","data":{"text":"A"}}');
    expect((await answered).success).toBe(true);
    expect((await client.outgoing.echo({ text: "b" }, { ...options, timeout: 1 }).asResult()).success).toBe(false);
    const dropped = client.outgoing.echo({ text: "c" }, options).asResult();
    peer.ws.terminate();
    expect((await dropped).success).toBe(false);
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
  });

  it("closes with 1009 when a server sends more than 16 MiB in one message", async () => {
    const { peer } = await connectedProbe();
    peer.send(`m:Probe.news::{"text":"${"x".repeat(16 * 1024 * 1024)}"}`);
    expect((await peer.closed).code).toBe(1009);
  });
});

describe("ending", () => {
  it("disconnect() waits for pending calls", async () => {
    const { client, peer } = await connectedProbe();
    const call = client.outgoing.echo({ text: "a" });
    await peer.next();
    const gone = client.disconnect();
    peer.send('s:Probe.echo:1:{"success":true,"type":"OK","data":{"text":"A"}}');
    expect(await call).toEqual({ text: "A" });
    await gone;
    expect(await peer.closed).toEqual({ code: 1000, reason: "" });
  });

  it("close() settles pending calls at once", async () => {
    const { client, peer } = await connectedProbe();
    const call = client.outgoing.echo({ text: "a" }).asResult();
    await peer.next();
    client.close();
    expect(displayed(await call)).toMatch(/Socket connection closed! Probe\.echo was sent and may have run/);
  });

  it("calls onDisconnect and onClose once: manual when the client ended it, drop when the server did", async () => {
    for (const [end, reason] of [
      ["disconnect", "manual"],
      ["close", "manual"],
      ["drop", "drop"],
    ] as const) {
      const { client, peer } = await connectedProbe();
      const events = new Queue<string>();
      const chained = client
        .onDisconnect((why) => events.push(`disconnect ${why}`))
        .onClose((why, error) => events.push(`close ${why} ${error?.type}`))
        .onClose(() => events.push("second"));
      expect(chained.onClose).toBe(client.onClose);
      if (end === "drop") peer.ws.terminate();
      else await client[end]();
      expect(await events.take(3)).toEqual([
        `disconnect ${reason}`,
        `close ${reason} ${reason === "drop" ? "SERVER_ERROR" : undefined}`,
        "second",
      ]);
      await client.disconnect();
      client.close();
      expect(events.unseen).toEqual([]);
    }
  });

  it("logs a callback that throws, and runs the others", async () => {
    const { client, peer, logger } = await connectedProbe();
    const events = new Queue<string>();
    client.onClose(() => {
      throw new Error("mine");
    });
    client.onClose(() => events.push("second"));
    peer.ws.terminate();
    expect(await events.next()).toBe("second");
    expect(logger.entries.map((entry) => entry.message)).toEqual(["Probe: the onClose callback failed"]);
  });

  it("has no connection after the server's teardown", async () => {
    const { http, base } = await serveApi(ProbeApi, () => {});
    const client = ProbeApi.createClient({ url: base });
    await client.connect();
    const closed = new Promise((resolve) => client.onClose(resolve));
    await http.teardown();
    expect(await closed).toBe("drop");
    expect(client.isConnected).toBe(false);
  });
});

describe("context", () => {
  it("shows the caller's context to middlewares, handlers and callbacks", async () => {
    const KEY = new GGContextKey<string>("client-test", IsString);
    const server = await RawServer.start();
    const seen = new Queue<string>();
    const Api = webSocketSchema(probeContract)
      .path("ws/probe")
      .use({
        updateHandshake: (context) => {
          context.headers.who = KEY.get() ?? "unknown";
        },
      })
      .done();
    const client = Api.createClient({ url: server.url, beforeConnect: () => seen.push(`before ${KEY.get()}`) });
    client.incoming.on({ news: () => seen.push(`news ${KEY.get()} ${GG_WS_CONNECTION.get()?.path}`) });
    client.onClose(() => seen.push(`close ${KEY.get()}`));
    const accepted = server.accept();
    await new GGContext("caller").run(async () => {
      KEY.set("Ann");
      await client.connect(() => void seen.push(`setup ${KEY.get()}`));
    });
    const peer = await accepted;
    expect(peer.headers).toEqual({ who: "Ann" });
    peer.send('m:Probe.news::{"text":""}');
    expect(await seen.take(3)).toEqual(["before Ann", "setup Ann", "news Ann /ws/probe"]);
    peer.ws.terminate();
    expect(await seen.next()).toBe("close Ann");
  });
});
