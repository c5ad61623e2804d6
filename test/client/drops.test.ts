import { IsNumber } from "@grest-ts/schema";
import { defineSocketContract, webSocketSchema } from "@grest-ts/websocket";
import { expect, it, onTestFinished } from "vitest";
import { runningDeadlines } from "../../src/connection/deadlines.js";
import { FaultProxy, seededRandom } from "../support/faultProxy.js";
import { recordingLogger, serveApi } from "../support/server.js";

const contract = defineSocketContract("Drops", {
  clientToServer: { double: { input: IsNumber, success: IsNumber }, note: { input: IsNumber } },
  serverToClient: { welcome: { input: IsNumber } },
});
const Api = webSocketSchema(contract).path("ws/drops").done();

const DROPS = 1_000;
const SEED = 20_261_123;

it(`loses no call and doubles nothing over ${DROPS} random drops`, { timeout: 120_000 }, async () => {
  const random = seededRandom(SEED);
  const below = (limit: number) => Math.floor(random() * limit);
  const noted = new Map<number, number>();
  let visits = 0;
  const { http, server } = await serveApi(Api, (incoming, outgoing) => {
    incoming.on({
      double: (n) => n * 2,
      note: (n) => void noted.set(n, (noted.get(n) ?? 0) + 1),
    });
    outgoing.welcome(++visits);
  });
  const proxy = await FaultProxy.start(http.port as number);

  const welcomes = new Map<number, number>();
  const logger = recordingLogger();
  const client = Api.createClient({
    url: proxy.url,
    reconnect: { initialDelayMs: 0, maxDelayMs: 0 },
    timeout: 50,
    logger,
  });
  onTestFinished(() => client.close());
  let disconnects = 0;
  let onGone = () => {};
  const closes: string[] = [];
  client
    .onDisconnect(() => {
      disconnects++;
      onGone();
    })
    .onClose((reason) => void closes.push(reason));
  await client.connect(({ incoming }) => {
    incoming.on({ welcome: (n) => void welcomes.set(n, (welcomes.get(n) ?? 0) + 1) });
  });

  const outcomes = { OK: 0, SERVER_ERROR: 0 };
  let made = 0;
  let settled = 0;
  const call = async () => {
    const n = ++made;
    const result = await client.outgoing.double(n).asResult();
    settled++;
    outcomes[result.type as keyof typeof outcomes]++;
    if (result.success) expect(result.data).toBe(2 * n);
  };

  const faults = [
    () => proxy.cut(),
    () => proxy.reset(),
    () => {
      proxy.refuseNext(1 + below(3));
      proxy.cut();
    },
    () => proxy.truncateNextReply(below(12)),
    () => void client.forceReconnect(),
    async (calls: Promise<unknown>[]) => {
      proxy.stallReplies();
      calls.push(call());
      await Promise.all(calls);
      proxy.release();
      if (random() < 0.5) proxy.stallReplies();
      proxy.cut();
      proxy.release();
    },
  ];

  for (let drop = 0; drop < DROPS; drop++) {
    const gone = new Promise<void>((resolve) => {
      onGone = resolve;
    });
    const calls = Array.from({ length: below(6) }, call);
    client.outgoing.note(drop);
    // A fault hits before a byte is sent, in the middle of the exchange, or after the first answer.
    const moment = random();
    if (moment > 0.3) await new Promise((resolve) => setImmediate(resolve));
    if (moment > 0.6) await calls[0];
    await faults[below(faults.length)]?.(calls);
    calls.push(call()); // whatever state the client is in, this settles too
    await gone;
    calls.push(call());
    await Promise.all(calls);
    await client.connect();
  }

  expect(await client.outgoing.double(21)).toBe(42);
  await client.disconnect();
  expect(settled).toBe(made);
  expect(outcomes.OK + outcomes.SERVER_ERROR).toBe(made);
  expect(outcomes.SERVER_ERROR).toBeGreaterThan(0);
  expect(outcomes.OK).toBeGreaterThan(0);
  expect(closes).toEqual(["manual"]);
  expect(disconnects).toBeGreaterThanOrEqual(DROPS);
  for (const counts of [welcomes, noted]) expect([...counts.values()].every((count) => count === 1)).toBe(true);
  expect(logger.entries).toEqual([]);

  await http.teardown();
  expect(server.connectionCount).toBe(0);
  expect(proxy.open).toBe(0);
  expect(runningDeadlines()).toBe(0);
});
