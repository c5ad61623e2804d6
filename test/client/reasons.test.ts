import { inspect } from "node:util";
import { SERVER_ERROR, VALIDATION_ERROR } from "@grest-ts/schema";
import { describe, expect, it } from "vitest";
import { failureOf, type SocketFailure } from "../../src/index.js";
import { ExtApi, serveExt } from "../support/extApi.js";
import { connectedProbe, displayed, FULL, probe } from "../support/probe.js";
import { closedPort } from "../support/tcp.js";

type Probe = Awaited<ReturnType<typeof connectedProbe>>;

const reply = (json: string) => `s:Probe.echo:1:${json}`;

/** Every way in which a call fails, and what is known of it. */
const calls: [string, (probe: Probe) => Promise<unknown>, SocketFailure, string][] = [
  [
    "has no reply in time",
    ({ client }) => client.outgoing.echo({ text: "x" }, { timeout: 5 }).asResult(),
    { reason: "timeout", wasSent: true },
    "Request timeout after 5 ms: Probe.echo was sent and may have run",
  ],
  [
    "is aborted while it waits",
    async ({ client, peer }) => {
      const controller = new AbortController();
      const call = client.outgoing.echo({ text: "x" }, { signal: controller.signal }).asResult();
      await peer.next();
      controller.abort("changed my mind");
      return call;
    },
    { reason: "aborted", wasSent: true, cause: "changed my mind" },
    "Aborted by the caller: Probe.echo was sent and may have run",
  ],
  [
    "is aborted before it is sent",
    ({ client }) => client.outgoing.echo({ text: "x" }, { signal: AbortSignal.abort("too late") }).asResult(),
    { reason: "aborted", wasSent: false, cause: "too late" },
    "Aborted by the caller: Probe.echo was not sent",
  ],
  [
    "is made when the client is closed",
    async ({ client }) => {
      client.close();
      return client.outgoing.echo({ text: "x" }).asResult();
    },
    { reason: "not-connected", wasSent: false },
    "Probe.echo was not sent: the client is not connected: call connect() first",
  ],
  [
    "is in flight when the server closes",
    async ({ client, peer }) => {
      const call = client.outgoing.echo({ text: "x" }).asResult();
      await peer.next();
      peer.ws.close(1013, "overloaded");
      return call;
    },
    { reason: "disconnected", wasSent: true, closeCode: 1013 },
    "Socket connection closed! Probe.echo was sent and may have run",
  ],
  [
    "is in flight when the client closes",
    async ({ client, peer }) => {
      const call = client.outgoing.echo({ text: "x" }).asResult();
      await peer.next();
      client.close();
      return call;
    },
    { reason: "disconnected", wasSent: true, closeCode: 1000 },
    "Socket connection closed! Probe.echo was sent and may have run",
  ],
  [
    "is larger than may be sent",
    ({ client }) => client.outgoing.echo({ text: "x".repeat(16 * 1024 * 1024) }).asResult(),
    { reason: "too-large", wasSent: false, cause: expect.any(RangeError) },
    "Probe.echo was not sent: RangeError: it is larger than 16 MiB",
  ],
  [
    "gets a reply that does not fit",
    async ({ client, peer }) => {
      const call = client.outgoing.echo({ text: "x" }).asResult();
      peer.send(reply('{"success":true,"type":"OK","data":5.5}'));
      return call;
    },
    { reason: "invalid-response", wasSent: true },
    "Invalid response",
  ],
  [
    "gets a reply that is no JSON",
    async ({ client, peer }) => {
      const call = client.outgoing.echo({ text: "x" }).asResult();
      peer.send(reply("{"));
      return call;
    },
    { reason: "invalid-response", wasSent: true },
    "Invalid response",
  ],
  [
    "fails at the other end",
    async ({ client, peer }) => {
      const call = client.outgoing.echo({ text: "x" }).asResult();
      peer.send(reply('{"success":false,"type":"SERVER_ERROR","context":{"displayMessage":"Out of paper"}}'));
      return call;
    },
    { reason: "failed", wasSent: true },
    "Out of paper",
  ],
  [
    "is refused by a limit of the other end",
    async ({ client, peer }) => {
      const call = client.outgoing.echo({ text: "x" }).asResult();
      peer.send(
        reply('{"success":false,"type":"SERVER_ERROR","context":{"displayMessage":"Slower","reason":"limit"}}'),
      );
      return call;
    },
    { reason: "limit", wasSent: true },
    "Slower",
  ],
];

describe("failureOf() of a call that", () => {
  it.each(calls)("%s", async (_, run, failure, sentence) => {
    const error = await run(await connectedProbe());
    expect(error).toBeInstanceOf(SERVER_ERROR);
    expect(failureOf(error)).toEqual(failure);
    expect(displayed(error)).toBe(sentence);
  });

  it("is made before connect()", async () => {
    const { client } = await probe();
    const error = await client.outgoing.echo({ text: "x" }).asResult();
    expect(failureOf(error)).toEqual({ reason: "not-connected", wasSent: false });
  });

  it("does not fit the contract", async () => {
    const { client } = await connectedProbe();
    const error = await client.outgoing.echo({ text: "" }).asResult();
    expect(error).toBeInstanceOf(VALIDATION_ERROR);
    expect(failureOf(error)).toEqual({ reason: "invalid-input", wasSent: false });
  });

  it.each([
    '{"success":false,"type":"FULL"}',
    '{"success":false,"type":"FORBIDDEN"}',
    '{"success":false,"type":"VALIDATION_ERROR","data":[]}',
  ])("is answered with %s says nothing: that is the answer", async (json) => {
    const { client, peer } = await connectedProbe();
    const call = client.outgoing.echo({ text: "x" }).asResult();
    peer.send(reply(json));
    expect(failureOf(await call)).toBeUndefined();
  });

  it("a limit of a server refuses", async () => {
    const { base, gate, events } = await serveExt({ limits: { maxRequestsInFlight: 1 } });
    const client = ExtApi.createClient({ url: base });
    await client.connect();
    const first = client.outgoing.wait("first").asResult();
    await events.next();
    expect(failureOf(await client.outgoing.wait("second").asResult())).toEqual({ reason: "limit", wasSent: true });
    gate.open();
    expect((await first).success).toBe(true);
    client.close();
  });
});

describe("failureOf()", () => {
  it.each([undefined, null, "text", 5, {}, new Error("x"), new SERVER_ERROR(), new FULL()])(
    "knows nothing of %s",
    (value) => {
      expect(failureOf(value)).toBeUndefined();
    },
  );
});

describe("the sentence of an error", () => {
  const failing = async () => {
    const { client } = await probe({ url: `ws://127.0.0.1:${await closedPort()}` });
    return [
      await client.outgoing.echo({ text: "x" }).catch((error: unknown) => error),
      await client.connect().catch((error: unknown) => error),
    ];
  };

  it("is in String(error), in what the console shows and in what vitest prints; type, name and message stay", async () => {
    for (const error of (await failing()) as InstanceType<typeof SERVER_ERROR>[]) {
      const sentence = displayed(error);
      expect(sentence).not.toBe("");
      expect(`${error}`).toBe(`SERVER_ERROR: ${sentence}`);
      expect(inspect(error)).toMatch(`SERVER_ERROR: ${sentence}`);
      expect(inspect({ error })).toMatch(`SERVER_ERROR: ${sentence}`);
      expect((error.toJSON() as { message?: string }).message).toBe(sentence);
      expect([error.type, error.name, error.message]).toEqual(["SERVER_ERROR", "SERVER_ERROR", "SERVER_ERROR"]);
      expect(error).toBeInstanceOf(SERVER_ERROR);
      expect(SERVER_ERROR.is(error)).toBe(true);
    }
  });

  it("adds nothing to the JSON text of an error", async () => {
    for (const error of (await failing()) as InstanceType<typeof SERVER_ERROR>[]) {
      expect(Object.keys(JSON.parse(JSON.stringify(error)))).toEqual(["success", "type", "statusCode", "context"]);
    }
  });
});
