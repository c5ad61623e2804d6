import { IsNumber, IsString } from "@grest-ts/schema";
import { defineSocketContract, type WebSocketOutgoing, webSocketSchema } from "@grest-ts/websocket";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { Queue } from "../support/queue.js";
import { RawPeer, RawServer } from "../support/rawPeer.js";
import { serveApi } from "../support/server.js";

const contract = defineSocketContract("Ord", {
  clientToServer: {
    load: { input: IsString, success: IsString },
    change: { input: IsNumber },
    confirm: { input: IsNumber, success: IsNumber },
  },
  serverToClient: {
    load: { input: IsString, success: IsString },
    change: { input: IsNumber },
    confirm: { input: IsNumber, success: IsNumber },
  },
});
const Api = webSocketSchema(contract).path("ws/ord").done();
type Outgoing = WebSocketOutgoing<typeof contract.methods.serverToClient>;
type End = Pick<Outgoing, "load">;

const reply = (id: number, text: string) => `s:Ord.load:${id}:{"success":true,"type":"OK","data":"${text}"}`;
const change = (n: number) => `m:Ord.change::${n}`;
const confirm = (n: number) => `r:Ord.confirm:${n}:${n}`;

/** Handlers that record what the program sees, in its order. */
function recorder() {
  const seen: string[] = [];
  const done = new Queue<void>();
  const note = (entry: string) => {
    seen.push(entry);
    if (entry.endsWith("last") || entry === "change 99") done.push();
  };
  const handlers = {
    load: () => "",
    change: (n: number) => note(`change ${n}`),
    confirm: (n: number) => {
      note(`confirm ${n}`);
      return n;
    },
  };
  return { seen, handlers, note, done };
}

/** Calls through as many layers of asynchronous functions as programs have. */
async function through(layers: number, call: () => PromiseLike<string>): Promise<string> {
  return layers === 0 ? await call() : await through(layers - 1, call);
}

/** Both ends as the caller: each gives its outgoing half, and how the raw peer at the other end sends to it. */
const CALLERS = {
  async client(handlers: object, isBatching: boolean) {
    const server = await RawServer.start();
    const client = Api.createClient({
      url: server.url,
      webSocket: undefined,
      capabilities: isBatching ? ["batch"] : [],
    });
    onTestFinished(() => client.close());
    client.incoming.on(handlers);
    const accepted = server.connections.next().then(async (peer) => {
      await peer.next();
      peer.send(isBatching ? 'k:::{"ws-capabilities":"batch"}' : "k:::null");
      return peer;
    });
    await client.connect();
    return { end: client.outgoing as End, peer: await accepted };
  },
  async server(handlers: object, isBatching: boolean) {
    const outgoings = new Queue<Outgoing>();
    const { url } = await serveApi(Api, (incoming, outgoing) => {
      incoming.on(handlers as Parameters<typeof incoming.on>[0]);
      outgoings.push(outgoing);
    });
    const peer = isBatching ? (await RawPeer.connectWith(url, "batch")).peer : await RawPeer.connect(url);
    return { end: (await outgoings.next()) as End, peer };
  },
};

/** Ways in which frames arrive together. */
const WAYS: readonly [string, boolean, (peer: RawPeer, frames: string[]) => void][] = [
  ["in one batch", true, (peer, frames) => peer.send(frames.join("\n"))],
  ["in one segment", false, (peer, frames) => peer.sendTogether(...frames)],
  ["one after the other", false, (peer, frames) => peer.send(...frames)],
];

describe.each(["client", "server"] as const)("a program at the %s", (caller) => {
  describe.each(WAYS)("sees what arrives %s in its order:", (_way, isBatching, send) => {
    it.each([0, 1, 5, 20])("replies, messages and requests, through %i layers of promises", async (layers) => {
      const { seen, handlers, note, done } = recorder();
      const { end, peer } = await CALLERS[caller](handlers, isBatching);
      for (const text of ["one", "two", "three"]) {
        void through(layers, () => end.load(text)).then((data) => note(`reply ${data}`));
      }
      for (let i = 0; i < (isBatching ? 1 : 3); i++) await peer.next();
      send(peer, [
        change(1),
        reply(1, "one"),
        change(2),
        confirm(3),
        reply(2, "two"),
        reply(3, "three"),
        confirm(4),
        change(5),
        change(99),
      ]);
      await done.next();
      expect(seen).toEqual([
        "change 1",
        "reply one",
        "change 2",
        "confirm 3",
        "reply two",
        "reply three",
        "confirm 4",
        "change 5",
        "change 99",
      ]);
    });
  });

  it("sees a message that follows a reply, though the connection ends behind it", async () => {
    const { seen, handlers, done } = recorder();
    const { end, peer } = await CALLERS[caller](handlers, false);
    void end.load("one");
    await peer.next();
    peer.sendTogether(reply(1, "one"), change(99));
    peer.ws.close();
    await done.next();
    expect(seen).toEqual(["change 99"]);
  });
});

describe("a reply", () => {
  it("reaches a connection handler that asks before it gives handlers, however much waits", async () => {
    const handled: number[] = [];
    const { url, logger } = await serveApi(Api, async (incoming, outgoing) => {
      const name = await outgoing.load("name");
      incoming.on({ load: () => name, change: (n) => void handled.push(n), confirm: (n) => n });
    });
    const peer = await RawPeer.connect(url);
    expect(await peer.next()).toBe('r:Ord.load:1:"name"');
    // One segment holds more than may wait: the rest is refused, and the reply behind it is read.
    peer.sendTogether(...Array.from({ length: 1_000 }, (_, n) => confirm(n)));
    for (let n = 0; n < 1_000; n++) peer.send(change(n));
    peer.send(reply(1, "Ann"), 'r:Ord.load:5000:""');
    const answers: string[] = [];
    for (let answer = ""; !answer.startsWith("s:Ord.load:5000:"); answers.push(answer)) answer = await peer.next();
    expect(answers.at(-1)).toContain('"data":"Ann"');
    const confirmed = answers.filter((answer) => answer.includes("s:Ord.confirm:"));
    expect(confirmed).toHaveLength(1_000);
    const refused = confirmed.filter((answer) => answer.includes("too many messages wait"));
    expect(confirmed.length - refused.length).toBe(256);
    expect(logger.entries.every(({ level }) => level === "warn")).toBe(true);
  });

  it("reaches a connection handler that asks when reading is paused already", async () => {
    const begin = new Queue<() => void>();
    const { url } = await serveApi(Api, async (incoming, outgoing) => {
      await new Promise<void>((resolve) => begin.push(resolve));
      const name = await outgoing.load("name");
      incoming.on({ load: () => name, change() {}, confirm: (n) => n });
    });
    const peer = await RawPeer.connect(url);
    const start = await begin.next();
    for (let n = 0; n < 300; n++) peer.send(change(n));
    await (await RawPeer.connect(url)).roundTrip();
    start();
    expect(await peer.next()).toBe('r:Ord.load:1:"name"');
    peer.send(reply(1, "Ann"), 'r:Ord.load:7:""');
    expect(await peer.next()).toContain('s:Ord.load:7:{"success":true,"type":"OK","data":"Ann"}');
  });

  it.each(["before", "after"])(
    "reaches a set-up whose server asks back %s the call, for a handler that is there",
    async (when) => {
      const server = await RawServer.start();
      const asked = new Queue<number>();
      const client = Api.createClient({ url: server.url });
      onTestFinished(() => client.close());
      client.incoming.on({
        change: (n) => void asked.push(n),
        confirm: (n) => n + 1,
      });
      const connected = client.connect(async ({ outgoing }) => {
        expect(await outgoing.load("state")).toBe("fine");
        asked.push(-1);
      });
      const peer = await server.connections.next();
      await peer.next();
      const [early, late] =
        when === "before" ? [["k:::null", change(1), confirm(7)], []] : [["k:::null"], [change(1), confirm(7)]];
      peer.sendTogether(...early);
      expect(await peer.next()).toBe('r:Ord.load:1:"state"');
      peer.sendTogether(...late);
      expect(await peer.next()).toBe('s:Ord.confirm:7:{"success":true,"type":"OK","data":8}');
      peer.send(reply(1, "fine"));
      await connected;
      expect(await asked.take(2)).toEqual([-1, 1]);
    },
  );
});

it("does not delay messages where no reply came before", async () => {
  const { seen, handlers } = recorder();
  const { url } = await serveApi(Api, (incoming) => incoming.on(handlers as Parameters<typeof incoming.on>[0]));
  const ws = new WebSocket(url);
  const peer = new RawPeer(ws);
  await new Promise((resolve) => ws.on("open", resolve));
  peer.send("h:::{}");
  await peer.next();
  peer.sendTogether(change(1), confirm(2), change(3));
  await peer.next();
  expect(seen).toEqual(["change 1", "confirm 2", "change 3"]);
});

describe("messages that wait keep their order", () => {
  const early = [change(1), confirm(2), change(99)];
  const inOrder = ["change 1", "confirm 2", "change 99"];

  it("when a connection handler gives handlers, and then asks", async () => {
    const { seen, handlers, done } = recorder();
    const { url } = await serveApi(Api, async (incoming, outgoing) => {
      incoming.on(handlers as Parameters<typeof incoming.on>[0]);
      await outgoing.load("x").asResult();
    });
    const peer = await RawPeer.open(url);
    peer.sendTogether("h:::{}", ...early);
    await done.next();
    await peer.roundTrip();
    expect(seen).toEqual(inOrder);
  });

  it("when a set-up gives handlers, and then calls", async () => {
    const { seen, handlers, done } = recorder();
    const server = await RawServer.start();
    const client = Api.createClient({ url: server.url });
    onTestFinished(() => client.close());
    const connected = client.connect(async ({ incoming, outgoing }) => {
      incoming.on(handlers);
      await outgoing.load("x");
    });
    const peer = await server.accept(...early);
    await done.next();
    peer.send(reply(1, "y"));
    await connected;
    expect(seen).toEqual(inOrder);
  });
});

it.each(["client", "server"] as const)(
  "hands over what follows the last reply before a %s closes gracefully",
  async (end) => {
    const { seen, handlers } = recorder();
    const outgoings = new Queue<Outgoing>();
    if (end === "client") {
      const server = await RawServer.start();
      const client = Api.createClient({ url: server.url });
      client.incoming.on(handlers);
      const connected = client.connect();
      const peer = await server.accept();
      await connected;
      void client.outgoing.load("x");
      await peer.next();
      const gone = client.disconnect();
      peer.sendTogether(reply(1, "y"), change(1), confirm(7));
      await gone;
    } else {
      const { url, server } = await serveApi(Api, (incoming, outgoing) => {
        incoming.on(handlers as Parameters<typeof incoming.on>[0]);
        outgoings.push(outgoing);
      });
      const peer = await RawPeer.connect(url);
      void (await outgoings.next()).load("x");
      await peer.next();
      const down = server.teardown();
      peer.sendTogether(reply(1, "y"), change(1), confirm(7));
      await down;
    }
    expect(seen).toEqual(["change 1", "confirm 7"]);
  },
);
