import { Agent } from "node:http";
import { connect, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { describe, expect, it, onTestFinished } from "vitest";
import { ProbeApi } from "../support/probe.js";
import { Queue } from "../support/queue.js";
import { recordingLogger, serveApi } from "../support/server.js";

/** What a program's agent gives for a TCP connection, such as a tunnel: it shows no bytes but those of whole writes. */
class Tunnel extends Duplex {
  /** The sizes of what it was given to write. */
  readonly chunks: number[] = [];

  constructor(readonly socket: Socket) {
    super();
    socket.on("data", (data) => void this.push(data));
    socket.on("end", () => this.push(null));
    socket.on("error", (error) => this.destroy(error));
    socket.on("close", () => this.destroy());
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.chunks.push(chunk.length);
    this.socket.write(chunk, () => done());
  }

  override _final(done: () => void): void {
    this.socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.socket.destroy();
    done(error);
  }
}

/** A connected client over a tunnel, and what the server gets from it. */
async function start(capabilities?: []) {
  const texts = new Queue<string>();
  const { base } = await serveApi(ProbeApi, (incoming) =>
    incoming.on({ note: ({ text }) => texts.push(text), echo: (value) => value, ping() {} }),
  );
  const tunnels: Tunnel[] = [];
  const agent = new Agent();
  agent.createConnection = (({ port, host }: { readonly port: number; readonly host: string }) => {
    const tunnel = new Tunnel(connect(port, host));
    tunnels.push(tunnel);
    return tunnel;
  }) as never;
  const client = ProbeApi.createClient({
    url: base,
    connectOptions: { agent },
    logger: recordingLogger(),
    ...(capabilities && { capabilities }),
  });
  onTestFinished(() => client.close());
  await client.connect();
  expect(tunnels).toHaveLength(1);
  const { chunks } = tunnels[0] as Tunnel;

  /** Sends messages of these lengths in one tick; gives the sizes of the writes once all have arrived, in order. */
  async function send(lengths: readonly number[]): Promise<readonly number[]> {
    chunks.length = 0;
    const sent = lengths.map((length, index) => `${index} `.padEnd(length, "x"));
    for (const text of sent) client.outgoing.note({ text });
    const arrived = await texts.take(sent.length);
    for (const [index, text] of sent.entries()) if (arrived[index] !== text) expect.fail(`number ${index} differs`);
    return [...chunks];
  }
  return { send };
}

/** What a message has beside its text: the header of its frame, its path and its JSON. */
const MAX_OVERHEAD = 100;
const MAX_PART = 65_536;

describe.each([
  ["with all capabilities", undefined],
  ["without capabilities", [] as []],
])("a tick of messages over a stream of an agent's own, %s,", (_, capabilities) => {
  it.each([
    ["30 of 100 KB", Array<number>(30).fill(100_000), 30],
    ["300 of 1 KB", Array<number>(300).fill(1_000), 5],
    ["large ones among small ones", Array.from({ length: 100 }, (_, i) => (i % 7 ? 500 : 90_000)), 15],
  ])("is written in parts that show how it goes on: %s", async (_name, lengths, atLeast) => {
    const { send } = await start(capabilities);
    const chunks = await send(lengths);
    expect(chunks.length).toBeGreaterThanOrEqual(atLeast);
    const largest = Math.max(...lengths) + MAX_OVERHEAD;
    // A part has the headers of its frames beside its texts.
    expect(Math.max(...chunks)).toBeLessThanOrEqual(Math.max(largest, MAX_PART + 14 * lengths.length));
  });
});

it.skipIf(process.env.OTHER_WS)("a tick of small messages without batches is one write", async () => {
  const { send } = await start([]);
  expect(await send(Array(30).fill(10))).toHaveLength(1);
});
