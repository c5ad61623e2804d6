import { createServer } from "node:http";
import { GGHttpServer } from "@grest-ts/http";
import { GGLocatorScope } from "@grest-ts/locator";
import { GG_METRICS, GGMetricsStore, GGPrometheusMetricsExporter } from "@grest-ts/metrics";
import { defineSocketContract, GGSocketServer, GGWebSocketMetrics, webSocketSchema } from "@grest-ts/websocket";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { RawPeer } from "../support/rawPeer.js";
import { recordingLogger, serveApi, startHttp } from "../support/server.js";

const contract = defineSocketContract("Idle", {
  clientToServer: { echo: {} },
  serverToClient: {},
});
const IdleApi = webSocketSchema(contract).path("ws/idle").done();
const OtherApi = webSocketSchema(contract).path("ws/other").done();
const IDLE = 'websocket_connections_active{api="Idle",path="/ws/idle"}';
const OTHER = 'websocket_connections_active{api="Idle",path="/ws/other"}';

const exported = async (store?: GGMetricsStore) => (await new GGPrometheusMetricsExporter().export(store)).split("\n");
const active = async (store?: GGMetricsStore) =>
  (await exported(store)).filter((line) => line.startsWith("websocket_connections_active{"));

beforeEach(() => GG_METRICS.set(new GGMetricsStore()));

describe("before anything has connected", () => {
  it("every metric of the package is described, and nothing but the gauge of each API has a series", async () => {
    await serveApi(IdleApi, () => {});
    const lines = await exported();
    for (const { name, help, type } of Object.values(GGWebSocketMetrics)) {
      const shown = name.replace(/^\//, "").replaceAll("/", "_");
      expect(lines).toContain(`# HELP ${shown} ${help}`);
      expect(lines).toContain(`# TYPE ${shown} ${type}`);
    }
    expect(lines.filter((line) => line && !line.startsWith("#"))).toEqual([`${IDLE} 0`]);
  });

  it("the gauge is there when the store is set before an API is registered, between, or before the server starts", async () => {
    for (const when of ["before", "between", "after"]) {
      const scope = new GGLocatorScope(when);
      scope.setLifecycleOwner({});
      await scope.run(async () => {
        const set = (now: string) => now === when && GG_METRICS.set(new GGMetricsStore());
        set("before");
        const http = new GGHttpServer({ port: 0 });
        onTestFinished(() => http.teardown());
        IdleApi.register(() => {}, { http });
        set("between");
        OtherApi.register(() => {}, { http });
        set("after");
        // Registered with a store: there before the start.
        const gauges = { before: [`${IDLE} 0`, `${OTHER} 0`], between: [`${OTHER} 0`], after: [] }[when];
        expect(await active(GG_METRICS.get())).toEqual(gauges);
        await http.start();
        expect((await active(GG_METRICS.get())).sort()).toEqual([`${IDLE} 0`, `${OTHER} 0`]);
      });
    }
    // The scope around has nothing of it.
    expect(await active()).toEqual([]);
  });

  it("an API has its gauge in the scope that registered it, and no other", async () => {
    const stores = await Promise.all(
      [IdleApi, OtherApi].map((Api) => {
        const scope = new GGLocatorScope(Api.path);
        scope.setLifecycleOwner({});
        return scope.run(async () => {
          const store = new GGMetricsStore();
          GG_METRICS.set(store);
          await startHttp((http) => Api.register(() => {}, { http }));
          return store;
        });
      }),
    );
    expect(await Promise.all(stores.map((store) => active(store)))).toEqual([[`${IDLE} 0`], [`${OTHER} 0`]]);
  });

  it("a path without a contract, and one that is registered while the server listens, have theirs", async () => {
    const { http } = await startHttp((made) => {
      new GGSocketServer(made, { path: "ws/raw", apiName: "Raw" });
    });
    expect(await active()).toEqual(['websocket_connections_active{api="Raw",path="/ws/raw"} 0']);
    IdleApi.register(() => {}, { http });
    expect((await active()).sort()).toEqual([`${IDLE} 0`, 'websocket_connections_active{api="Raw",path="/ws/raw"} 0']);
  });

  it("an API on a server of Node has its own, each time that this listens", async () => {
    const http = createServer();
    onTestFinished(() => void http.close());
    IdleApi.register(() => {}, { http, logger: recordingLogger() });
    expect(await active()).toEqual([`${IDLE} 0`]);
    GG_METRICS.set(new GGMetricsStore());
    await new Promise<void>((resolve) => http.listen(0, resolve));
    expect(await active()).toEqual([`${IDLE} 0`]);
  });
});

describe("the gauge", () => {
  it("counts connections over an API that is registered twice, and is 0 after both are torn down", async () => {
    const first = await serveApi(IdleApi, () => {});
    await RawPeer.connect(first.url);
    await RawPeer.connect(first.url);
    const second = await serveApi(IdleApi, () => {});
    expect(await active()).toEqual([`${IDLE} 2`]);
    await RawPeer.connect(second.url);
    expect(await active()).toEqual([`${IDLE} 3`]);
    await Promise.all([first.server.teardown(), second.server.teardown()]);
    await vi.waitFor(async () => expect(await active()).toEqual([`${IDLE} 0`]));
  });
});

describe("a store that fails", () => {
  it("keeps no API from being served, and is logged once", async () => {
    class Failing extends GGMetricsStore {
      override get(): never {
        throw new Error("store");
      }
    }
    GG_METRICS.set(new Failing());
    const { url, logger } = await serveApi(IdleApi, (incoming) => incoming.on({ echo: () => {} }));
    const peer = await RawPeer.connect(url);
    peer.send("r:Idle.echo:1:");
    expect(await peer.next()).toContain('"OK"');
    expect(logger.entries).toEqual([
      { level: "error", message: "Idle: the metrics store failed", fields: { error: new Error("store") } },
    ]);
  });
});
