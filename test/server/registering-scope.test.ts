import { GG_DISCOVERY, GGLocalDiscovery } from "@grest-ts/discovery";
import { GGLocatorScope } from "@grest-ts/locator";
import { GG_METRICS, GGMetricsStore, GGPrometheusMetricsExporter } from "@grest-ts/metrics";
import { GG_NO_PERMISSIONS, IsString } from "@grest-ts/schema";
import { defineSocketContract, type WebSocketOutgoing, webSocketSchema } from "@grest-ts/websocket";
import { expect, it } from "vitest";
import { Gate } from "../support/gate.js";
import { Queue } from "../support/queue.js";
import { RawPeer } from "../support/rawPeer.js";
import { recordingLogger, serve, startHttp } from "../support/server.js";

it("counts refused, unknown and stray frames, and failed calls, in the store of the scope that registers", async () => {
  const store = new GGMetricsStore();
  const scope = new GGLocatorScope("service");
  scope.set(GG_METRICS, store);
  const contract = defineSocketContract("Scoped", {
    clientToServer: { ping: { permission: GG_NO_PERMISSIONS }, gated: { permission: "x" } },
    serverToClient: { ask: { success: IsString } },
  });
  const outgoings = new Queue<WebSocketOutgoing<typeof contract.methods.serverToClient>>();
  const closed = new Gate();
  const { url } = await startHttp((http) =>
    scope.run(() =>
      webSocketSchema(contract)
        .path("ws/scoped")
        .done()
        .register(
          (incoming, outgoing) => {
            incoming.on({ ping: () => {}, gated: () => {} });
            outgoing.onClose(() => closed.open());
            outgoings.push(outgoing);
          },
          { http, permissionResolver: () => null, logger: recordingLogger() },
        ),
    ),
  );
  const peer = await RawPeer.connect(`${url}/ws/scoped`);
  const outgoing = await outgoings.next();
  const answered = scope.run(() => outgoing.ask());
  const lost = scope.run(() => outgoing.ask());
  await peer.frames.take(2);
  peer.send(
    "r:Scoped.gated:1:",
    "r:Scoped.nope:2:",
    "s:Scoped.ask:77:{}",
    's:Scoped.ask:1:{"success":true,"type":"OK","data":"x"}',
    "r:Scoped.ping:3:",
  );
  await peer.frames.take(3);
  await answered;
  peer.ws.close();
  await closed.passed;
  await lost.asResult();
  const text = await new GGPrometheusMetricsExporter().export(store);
  const counted = [...text.matchAll(/^websocket_(?:out_)?requests_total\{.*method="(.*)",result="(.*)"\} (\d+)$/gm)];
  expect(counted.map(([, method, result, count]) => `${method} ${result} ${count}`).sort()).toEqual([
    "Scoped.ask CONNECTION_CLOSED 1",
    "Scoped.ask OK 1",
    "Scoped.gated NOT_AUTHORIZED 1",
    "Scoped.ping OK 1",
    "unknown ROUTE_NOT_FOUND 1",
    "unknown UNEXPECTED_REPLY 1",
  ]);
});

it("announces the API to the discovery client of the scope that registers, wherever it starts", async () => {
  const contract = defineSocketContract("Found", { clientToServer: {}, serverToClient: {} });
  const discovery = new GGLocalDiscovery();
  const scope = new GGLocatorScope("service");
  scope.set(GG_DISCOVERY, discovery);
  const { http } = await serve((http) =>
    scope.run(() =>
      webSocketSchema(contract)
        .path("ws/found")
        .done()
        .startServer(() => {}, { http }),
    ),
  );
  expect(await discovery.discoverApi("Found")).toBe(`http://127.0.0.1:${http.port}`);
});
