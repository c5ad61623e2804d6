import { once } from "node:events";
import type { Socket } from "node:net";
import { GGLocatorScope } from "@grest-ts/locator";
import { GG_METRICS, GGMetricsStore, GGPrometheusMetricsExporter } from "@grest-ts/metrics";
import { ERROR, GG_NO_PERMISSIONS, IsObject, IsString } from "@grest-ts/schema";
import {
  defineSocketContract,
  GGWebSocketMetrics,
  type WebSocketOutgoing,
  type WebSocketSchemaConfig,
  webSocketSchema,
} from "@grest-ts/websocket";
import { beforeEach, describe, expect, it } from "vitest";
import { Gate } from "../support/gate.js";
import { Queue } from "../support/queue.js";
import { RawPeer } from "../support/rawPeer.js";
import { recordingLogger, serveApi, startHttp } from "../support/server.js";
import { closeOf } from "../support/tcp.js";

const FULL = ERROR.define("METRICS_FULL", 409);

const contract = defineSocketContract("Met", {
  clientToServer: {
    echo: { permission: GG_NO_PERMISSIONS, input: IsString.nonEmpty, success: IsString, errors: [FULL] },
    note: { permission: GG_NO_PERMISSIONS, input: IsString },
    ping: { permission: GG_NO_PERMISSIONS },
    gated: { permission: "scope", success: IsString },
    gatedNote: { permission: "scope" },
  },
  serverToClient: { news: { input: IsString.nonEmpty }, ask: { success: IsString, errors: [FULL] } },
});
type Outgoing = WebSocketOutgoing<typeof contract.methods.serverToClient>;

async function start(config: WebSocketSchemaConfig = {}) {
  const outgoings = new Queue<Outgoing>();
  const closes = new Queue<void>();
  const Api = webSocketSchema(contract)
    .path("ws/met")
    .queryOnConnect(IsObject({ bad: IsString.orUndefined, room: IsString.default("r") }))
    .done();
  const { url } = await serveApi(
    Api,
    (incoming, outgoing) => {
      outgoings.push(outgoing);
      outgoing.onClose(() => closes.push());
      incoming.on({
        echo: (text) => {
          if (text === "full") throw new FULL();
          if (text === "fail") throw new Error("secret");
          return text;
        },
        note: (text) => {
          if (text === "fail") throw new Error("secret");
        },
        ping: () => {},
        gated: () => "",
        gatedNote: () => {},
      });
    },
    { permissionResolver: () => new Set(["other"]), ...config },
  );
  return { url, outgoings, closes };
}

/** The lines of one metric as a Prometheus server would scrape them. */
async function scrape(name: string, store?: GGMetricsStore): Promise<string[]> {
  const text = await new GGPrometheusMetricsExporter().export(store);
  return text
    .split("\n")
    .filter((line) => line.startsWith(`websocket_${name}{`))
    .map((line) => line.slice(`websocket_${name}`.length))
    .sort();
}
const API = 'api="Met",path="/ws/met"';

beforeEach(() => GG_METRICS.set(new GGMetricsStore()));

describe("connections_total", () => {
  it("counts attempts by result, once each", async () => {
    const invalid = IsObject({ room: IsString });
    const Strict = webSocketSchema(defineSocketContract("Strict", { clientToServer: {}, serverToClient: {} }))
      .path("ws/strict")
      .use({
        parseHandshake({ headers }) {
          if (headers.how === "refuse") throw new FULL();
          if (headers.how === "fail") throw new Error("secret");
        },
      })
      .queryOnConnect(invalid)
      .done();
    const { url: at, base } = await serveApi(Strict, () => {});
    await RawPeer.connect(`${at}?room=a`);
    await RawPeer.connect(`${at}?room=a`);
    expect((await (await RawPeer.open(at)).closed).code).toBe(4000);
    for (const how of ["refuse", "fail"]) {
      const peer = await RawPeer.open(`${at}?room=a`);
      peer.send(`h:::{"how":"${how}"}`);
      await peer.closed;
    }
    await expect(RawPeer.open(`${base}/ws/unknown`)).rejects.toThrow("404");
    expect(await scrape("connections_total")).toEqual([
      '{api="Strict",path="/ws/strict",result="HANDSHAKE_FAILED"} 2',
      '{api="Strict",path="/ws/strict",result="OK"} 2',
      '{api="Strict",path="/ws/strict",result="QUERY_INVALID"} 1',
    ]);
    expect(await scrape("connections_active")).toEqual(['{api="Strict",path="/ws/strict"} 2']);
  });

  it("counts a connectPermission that refuses, and a client that closes before its handshake", async () => {
    const Locked = webSocketSchema(defineSocketContract("Locked", { clientToServer: {}, serverToClient: {} }))
      .path("ws/locked")
      .connectPermission("x")
      .done();
    const { url, http } = await serveApi(Locked, () => {}, { permissionResolver: () => null });
    const peer = await RawPeer.open(url);
    peer.send("h:::{}");
    await peer.closed;
    const connection = once(http.httpServer, "connection") as Promise<Socket[]>;
    const closing = await RawPeer.open(url);
    const closed = closeOf((await connection)[0] as Socket);
    closing.ws.terminate();
    await closed;
    expect(await scrape("connections_total")).toEqual(['{api="Locked",path="/ws/locked",result="HANDSHAKE_FAILED"} 2']);
  });
});

describe("connections_active", () => {
  it("goes up and down with the connections, however they end, and returns to 0", async () => {
    const { url, closes } = await start();
    const peers = [await RawPeer.connect(url), await RawPeer.connect(url), await RawPeer.connect(url)] as const;
    expect(await scrape("connections_active")).toEqual([`{${API}} 3`]);
    peers[0].ws.close();
    await closes.next();
    expect(await scrape("connections_active")).toEqual([`{${API}} 2`]);
    peers[1].ws.terminate();
    await closes.next();
    peers[2].ws.send(Buffer.from("binary"));
    await closes.next();
    expect(await scrape("connections_active")).toEqual([`{${API}} 0`]);
  });

  it("returns to 0 after a connection handler that throws, and after a teardown", async () => {
    const Failing = webSocketSchema(defineSocketContract("Fail", { clientToServer: {}, serverToClient: {} }))
      .path("ws/fail")
      .done();
    const closed = new Gate();
    const { url, http } = await startHttp((http) => {
      const onConnection = (_: unknown, outgoing: { onClose(callback: () => void): void }) => {
        outgoing.onClose(() => closed.open());
        throw new Error("no");
      };
      Failing.register(onConnection, { http, logger: recordingLogger() });
      webSocketSchema(defineSocketContract("Fine", { clientToServer: {}, serverToClient: {} }))
        .path("ws/fine")
        .done()
        .register(() => {}, { http });
    });
    const peer = await RawPeer.open(`${url}/ws/fail`);
    peer.send("h:::{}");
    await closed.passed;
    await RawPeer.connect(`${url}/ws/fine`);
    expect(await scrape("connections_active")).toEqual([
      '{api="Fail",path="/ws/fail"} 0',
      '{api="Fine",path="/ws/fine"} 1',
    ]);
    await http.teardown();
    expect(await scrape("connections_active")).toEqual([
      '{api="Fail",path="/ws/fail"} 0',
      '{api="Fine",path="/ws/fine"} 0',
    ]);
  });
});

describe("requests_total", () => {
  it("counts messages and requests by method and result", async () => {
    const { url } = await start();
    const peer = await RawPeer.connect(url);
    peer.send(
      'r:Met.echo:1:"a"',
      'r:Met.echo:2:"b"',
      'r:Met.echo:3:""',
      "r:Met.echo:4:{nope",
      'r:Met.echo:5:"full"',
      'r:Met.echo:6:"fail"',
      'm:Met.echo::"c"',
      'm:Met.note::"x"',
      'm:Met.note::"fail"',
      "m:Met.note::{nope",
      "m:Met.ping::",
      "r:Met.gated:7:",
      "m:Met.gatedNote::",
      "r:Met.ping:8:",
    );
    await peer.frames.take(8);
    const line = (method: string, result: string, count: number) =>
      `{${API},method="Met.${method}",result="${result}"} ${count}`;
    expect(await scrape("requests_total")).toEqual(
      [
        line("echo", "OK", 3),
        line("echo", "VALIDATION_ERROR", 2),
        line("echo", "METRICS_FULL", 1),
        line("echo", "SERVER_ERROR", 1),
        line("note", "OK", 1),
        line("note", "SERVER_ERROR", 1),
        line("note", "VALIDATION_ERROR", 1),
        line("ping", "OK", 2),
        line("gated", "FORBIDDEN", 1),
        line("gatedNote", "FORBIDDEN", 1),
      ].sort(),
    );
  });

  it("never takes a name from the wire for a label", async () => {
    const { url, outgoings } = await start();
    const peer = await RawPeer.connect(url);
    const made = ["Met.madeUp", "Other.echo", "__proto__", "Met.constructor", 'Met."quoted"', "x".repeat(500)];
    for (const path of made) peer.send(`r:${path}:1:`, `m:${path}::`, `s:${path}:1:{}`);
    await peer.frames.take(made.length);
    (await outgoings.next()).news("x");
    const text = await new GGPrometheusMetricsExporter().export();
    for (const path of made) expect(text).not.toContain(path.replaceAll('"', '\\"'));
    expect(await scrape("requests_total")).toEqual([
      `{${API},method="unknown",result="ROUTE_NOT_FOUND"} ${2 * made.length}`,
    ]);
  });
});

describe("request_duration_ms", () => {
  it("holds one observation for each message that was handled, and none for those that were refused", async () => {
    const { url } = await start();
    const peer = await RawPeer.connect(url);
    peer.send('r:Met.echo:1:"a"', 'r:Met.echo:2:"full"', 'm:Met.note::"x"', "r:Met.gated:3:", "r:Met.nope:4:");
    await peer.frames.take(4);
    expect(await scrape("request_duration_ms_count")).toEqual([
      `{${API},method="Met.echo"} 2`,
      `{${API},method="Met.note"} 1`,
    ]);
    const buckets = await scrape("request_duration_ms_bucket");
    expect(buckets.filter((line) => line.includes('method="Met.echo"'))).toHaveLength(10);
    expect(buckets).toContain(`{${API},method="Met.echo",le="+Inf"} 2`);
  });
});

describe("out_requests_total and out_request_duration_ms", () => {
  it("count pushes and requests by method and result; only requests have a duration", async () => {
    const { url, outgoings, closes } = await start();
    const peer = await RawPeer.connect(url);
    const outgoing = await outgoings.next();
    outgoing.news("a");
    outgoing.news("b");
    outgoing.news("");
    const calls = [outgoing.ask(), outgoing.ask(), outgoing.ask(), outgoing.ask(undefined, { timeout: 1 })];
    calls.push(outgoing.ask(undefined, { signal: AbortSignal.abort() }));
    await peer.frames.take(6);
    peer.send(
      's:Met.ask:1:{"success":true,"type":"OK","data":"x"}',
      's:Met.ask:2:{"success":false,"type":"METRICS_FULL","statusCode":409}',
    );
    await Promise.all([calls[0], calls[1], calls[3]].map((call) => call?.asResult()));
    peer.ws.close();
    await closes.next();
    await calls[2]?.asResult();
    outgoing.news("closed");
    outgoing.ask();
    const line = (method: string, result: string, count: number) =>
      `{${API},method="Met.${method}",result="${result}"} ${count}`;
    expect(await scrape("out_requests_total")).toEqual(
      [
        line("news", "OK", 2),
        line("news", "VALIDATION_ERROR", 1),
        line("news", "CONNECTION_CLOSED", 1),
        line("ask", "OK", 1),
        line("ask", "METRICS_FULL", 1),
        line("ask", "SERVER_ERROR", 2),
        line("ask", "CONNECTION_CLOSED", 2),
      ].sort(),
    );
    expect(await scrape("out_request_duration_ms_count")).toEqual([`{${API},method="Met.ask"} 4`]);
  });

  it("count an unexpected reply, without its name", async () => {
    const { url } = await start();
    const peer = await RawPeer.connect(url);
    peer.send('s:Met.ask:1:{"success":true,"type":"OK"}', "s:Evil.path:2:{}");
    await peer.framesUntilAnswerTo("r:Met.ping:1:");
    expect(await scrape("out_requests_total")).toEqual([`{${API},method="unknown",result="UNEXPECTED_REPLY"} 2`]);
  });
});

it("distinguishes APIs by their labels", async () => {
  const api = (name: string) =>
    webSocketSchema(defineSocketContract(name, { clientToServer: { ping: {} }, serverToClient: {} }))
      .path(`ws/${name}`)
      .done();
  const { url } = await startHttp((http) => {
    for (const name of ["One", "Two"]) api(name).register((incoming) => incoming.on({ ping: () => {} }), { http });
  });
  for (const name of ["One", "Two"]) {
    const peer = await RawPeer.connect(`${url}/ws/${name}`);
    peer.send(`r:${name}.ping:1:`);
    await peer.next();
  }
  expect(await scrape("requests_total")).toEqual([
    '{api="One",path="/ws/One",method="One.ping",result="OK"} 1',
    '{api="Two",path="/ws/Two",method="Two.ping",result="OK"} 1',
  ]);
});

it("has the published names, kinds and labels", () => {
  const described = Object.values(GGWebSocketMetrics).map(({ name, type, labelNames }) => [
    name,
    type,
    labelNames.join(),
  ]);
  expect(described).toEqual([
    ["/websocket/connections_active", "gauge", "api,path"],
    ["/websocket/connections_total", "counter", "api,path,result"],
    ["/websocket/requests_total", "counter", "api,path,method,result"],
    ["/websocket/request_duration_ms", "histogram", "api,path,method"],
    ["/websocket/out_requests_total", "counter", "api,path,method,result"],
    ["/websocket/out_request_duration_ms", "histogram", "api,path,method"],
    ["/websocket/bus_published_total", "counter", "api,result"],
    ["/websocket/bus_received_total", "counter", "api,result"],
    ["/websocket/bus_healed_total", "counter", "api,result"],
    ["/websocket/recoveries_total", "counter", "api,result"],
    ["/websocket/bus_queue", "gauge", "bus"],
    ["/websocket/bus_up", "gauge", "bus"],
  ]);
});

it("works without a store, and measures nothing", async () => {
  const scope = new GGLocatorScope("service");
  scope.setLifecycleOwner({});
  const { url, outgoings } = await scope.run(() => start());
  const peer = await RawPeer.connect(url);
  peer.send('r:Met.echo:1:"a"', "r:Met.nope:2:", "s:Met.ask:9:{}");
  expect(await peer.frames.take(2)).toEqual([
    expect.stringContaining('"OK"'),
    expect.stringContaining("ROUTE_NOT_FOUND"),
  ]);
  (await outgoings.next()).news("x");
  expect(await peer.next()).toBe('m:Met.news::"x"');
});

it("counts in the store of the scope that registers, wherever the server is started", async () => {
  const store = new GGMetricsStore();
  const scope = new GGLocatorScope("service");
  scope.set(GG_METRICS, store);
  const Api = webSocketSchema(
    defineSocketContract("Scoped", { clientToServer: { ping: {} }, serverToClient: { nudge: {} } }),
  )
    .path("ws/scoped")
    .done();
  const closed = new Gate();
  const { url } = await startHttp((http) =>
    scope.run(() =>
      Api.register(
        (incoming, outgoing) => {
          incoming.on({ ping: () => void outgoing.nudge() });
          outgoing.onClose(() => closed.open());
        },
        { http },
      ),
    ),
  );
  const peer = await RawPeer.connect(`${url}/ws/scoped`);
  peer.send("r:Scoped.ping:1:");
  await peer.frames.take(2);
  peer.ws.close();
  await closed.passed;
  const API = 'api="Scoped",path="/ws/scoped"';
  expect(await scrape("connections_total", store)).toEqual([`{${API},result="OK"} 1`]);
  expect(await scrape("connections_active", store)).toEqual([`{${API}} 0`]);
  expect(await scrape("requests_total", store)).toEqual([`{${API},method="Scoped.ping",result="OK"} 1`]);
  expect(await scrape("out_requests_total", store)).toEqual([`{${API},method="Scoped.nudge",result="OK"} 1`]);
  expect((await new GGPrometheusMetricsExporter().export()).trim()).toBe("");
});
