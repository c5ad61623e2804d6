import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { setDeadline } from "../../src/connection/deadlines.js";
import { serveExt } from "../support/extApi.js";
import { connectedProbe, displayed } from "../support/probe.js";
import { RawPeer } from "../support/rawPeer.js";

/** How long calls wait that time out on a stand-in, and in real time, in ms. */
const LONG = 200;
const SHORT = 20;

type Faked = NonNullable<Parameters<typeof vi.useFakeTimers>[0]>["toFake"];

const STAND_INS: [string, Faked][] = [
  ["all that vitest fakes", undefined],
  ["timers and performance", ["setTimeout", "clearTimeout", "performance"]],
  ["timers", ["setTimeout", "clearTimeout"]],
  ["setTimeout alone", ["setTimeout"]],
];

/** Keeps this process busy. */
function block(ms: number): void {
  for (const end = process.hrtime.bigint() + BigInt(ms) * 1_000_000n; process.hrtime.bigint() < end; );
}

describe.each(STAND_INS)("while a test runner fakes %s", (_name, toFake) => {
  const fake = () => {
    vi.useFakeTimers(toFake && { toFake });
    onTestFinished(() => void vi.useRealTimers());
  };

  /** A client whose server does not answer, and the end of a call that waits this long. */
  async function start() {
    const { client } = await connectedProbe();
    return (timeout: number) => client.outgoing.echo({ text: "x" }, { timeout }).asResult().then(displayed);
  }

  it("times out by its clock, with real and faked deadlines pending before, and by the real one afterwards", async () => {
    const call = await start();
    const real = call(100_000 * LONG);
    const realShort = call(SHORT);
    fake();
    for (const timeout of [LONG, 2 * LONG]) {
      const [pending, other] = [call(2 * timeout), call(timeout)];
      vi.advanceTimersByTime(timeout);
      expect(await other).toContain(`timeout after ${timeout} ms`);
      vi.advanceTimersByTime(timeout);
      expect(await pending).toContain(`timeout after ${2 * timeout} ms`);
    }
    const left = call(LONG);
    expect(await realShort).toContain(`timeout after ${SHORT} ms`);
    vi.useRealTimers();
    expect(await call(SHORT)).toContain(`timeout after ${SHORT} ms`);
    fake();
    const again = call(LONG);
    vi.advanceTimersByTime(LONG);
    // What was left on the first stand-in has moved to this one.
    await Promise.all([left, again]);
    vi.useRealTimers();
    expect(await Promise.race([real, "pending"])).toBe("pending");
  });

  it("moves what was pending there to the real clock as soon as that is used", async () => {
    const call = await start();
    fake();
    const left = call(SHORT);
    vi.useRealTimers();
    await Promise.all([call(SHORT), left]);
  });

  it("does not move what was cancelled there", async () => {
    fake();
    const expired = vi.fn();
    setDeadline(SHORT, expired)();
    vi.useRealTimers();
    await new Promise<void>((resolve) => void setDeadline(2 * SHORT, resolve));
    expect(expired).not.toHaveBeenCalled();
  });

  it("runs the server's own calls by that clock too", async () => {
    const { url, outgoings } = await serveExt();
    const peer = await RawPeer.connect(url);
    const outgoing = await outgoings.next();
    fake();
    const result = outgoing.ask("x", { timeout: LONG }).asResult();
    expect(await peer.next()).toContain("Ext.ask");
    vi.advanceTimersByTime(LONG);
    expect(displayed(await result)).toContain("timeout");
  });
});

describe("a stand-in at the same tick", () => {
  it("does not share a timer with what was set before it, nor with what comes after an expiry", () => {
    const expired: string[] = [];
    const cancel = setDeadline(LONG, () => expired.push("real"));
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    setDeadline(LONG, () => {
      expired.push("fake");
      setDeadline(LONG, () => expired.push("second"));
    });
    vi.advanceTimersByTime(LONG);
    expect(expired).toEqual(["fake"]);
    vi.advanceTimersByTime(LONG);
    expect(expired).toEqual(["fake", "second"]);
    cancel();
  });
});

describe("after a long task", () => {
  it("takes a reply that has arrived meanwhile", async () => {
    const { client, peer } = await connectedProbe();
    const results = [SHORT, SHORT, 2 * SHORT].map((timeout) =>
      client.outgoing.echo({ text: "x" }, { timeout }).asResult(),
    );
    for (const id of [1, 2, 3]) expect(await peer.next()).toMatch(new RegExp(`^r:Probe.echo:${id}:`));
    for (const id of [1, 2, 3]) peer.send(`s:Probe.echo:${id}:{"success":true,"type":"OK","data":{"text":"y"}}`);
    block(3 * SHORT);
    for (const result of results) expect(await result).toMatchObject({ success: true, data: { text: "y" } });
  });

  it("takes a client's reply on the server", async () => {
    const { url, outgoings } = await serveExt();
    const peer = await RawPeer.connect(url);
    const result = (await outgoings.next()).ask("x", { timeout: SHORT }).asResult();
    await peer.next();
    peer.send('s:Ext.ask:1:{"success":true,"type":"OK","data":"y"}');
    block(2 * SHORT);
    expect(await result).toMatchObject({ success: true, data: "y" });
  });

  it("reads what has arrived before any deadline expires, also between other long tasks that are due", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const accepted = once(server, "connection") as Promise<[Socket]>;
    const socket = connect((server.address() as { port: number }).port, "127.0.0.1");
    const [peer] = await accepted;
    onTestFinished(() => {
      socket.destroy();
      peer.destroy();
      server.close();
    });
    const events: string[] = [];
    socket.on("data", () => events.push("data"));
    const ended = new Promise<void>((resolve) => {
      setDeadline(SHORT, () => {
        events.push("expired");
        resolve();
      });
    });
    for (let i = -2; i <= 6; i++) setTimeout(() => block(5), SHORT + i);
    peer.write("x");
    block(3 * SHORT);
    await ended;
    expect(events).toEqual(["data", "expired"]);
  });
});
