import { readFileSync } from "node:fs";
import { join } from "node:path";
import { IsNumber, IsObject, IsString } from "@grest-ts/schema";
import { defineSocketContract, GGSocketGroup, type WebSocketOutgoing, webSocketSchema } from "@grest-ts/websocket";
import { describe, expect, it, onTestFinished } from "vitest";
import { losingBus } from "../support/losingBus.js";
import { root } from "../support/paths.js";
import { Queue } from "../support/queue.js";
import { RawPeer } from "../support/rawPeer.js";
import { connectResuming } from "../support/resumingPeer.js";
import { serveApi } from "../support/server.js";

const document = readFileSync(join(root, "PROTOCOL.md"), "utf8");

const contract = defineSocketContract("ChatApi", {
  clientToServer: { ping: {} },
  serverToClient: {
    newMessage: { input: IsObject({ id: IsString, text: IsString, senderId: IsString, timestamp: IsNumber }) },
  },
});
const Api = webSocketSchema(contract).path("ws/chat").done();
type Outgoing = WebSocketOutgoing<typeof contract.methods.serverToClient>;

interface Step {
  readonly who: string;
  readonly what: string;
}

/** The exchanges of section 10.5, each with the sentence before it. */
function exchanges(): { title: string; steps: Step[] }[] {
  const section = document.slice(document.indexOf("#### Exchanges"), document.indexOf("\n## 11."));
  return [...section.matchAll(/(?:^([^\n`]+)\n\n)?```\n(.*?)\n```/gms)].map(([, title = "the same", block = ""]) => ({
    title: title.slice(0, 60),
    steps: block.split("\n").map((line) => ({ who: line.replace(/ .*/, ""), what: line.replace(/^\S+ +/, "") })),
  }));
}

/** A server with a room, which does what `P` does in the document. */
async function start() {
  const bus = losingBus();
  onTestFinished(() => bus.close());
  const room = new GGSocketGroup(Api, { name: "room", bus, history: { size: 10, ttlMs: 60_000 } });
  const outgoings = new Queue<Outgoing>();
  const { url } = await serveApi(
    Api,
    (incoming, outgoing) => {
      outgoings.push(outgoing);
      incoming.on({ ping: () => {} });
    },
    { heartbeat: false },
  );
  /** The connection of a client of this name that was there before. */
  const before = async (session: string) => {
    const peer = await connectResuming(url, { session, serial: 0, at: [] });
    const outgoing = await outgoings.next();
    return { peer, outgoing };
  };
  return { bus, room, url, outgoings, before };
}

/** The document's epochs and alias for those of the process. */
class Names {
  readonly #known = new Map<string, string>();

  /** Reads an actual frame as the document would have it; what it names for the first time is learnt. */
  toDocument(actual: string, expected: string): string {
    const epochOf = (frame: string) => /"epoch":"([^"]*)"/.exec(frame)?.[1];
    const aliasOf = (frame: string) => /^(?:g::|m:[^:]*:)(\d+)/.exec(frame)?.[1];
    this.#learn(epochOf(actual), epochOf(expected));
    const alias = aliasOf(actual);
    if (alias) this.#learn(`alias ${alias}`, `alias ${aliasOf(expected)}`);
    let text = actual;
    for (const [from, to] of this.#known)
      text = from.startsWith("alias ")
        ? text.replace(new RegExp(`^(g::|m:[^:]*:)${from.slice(6)}\\b`), `$1${to.slice(6)}`)
        : text.replaceAll(from, to);
    return text;
  }

  toProcess(frame: string): string {
    let text = frame;
    for (const [actual, documented] of this.#known)
      if (!actual.startsWith("alias ")) text = text.replaceAll(documented, actual);
    return text;
  }

  learnEpoch(actual: string): void {
    this.#learn(actual, "E7k2");
  }

  #learn(actual: string | undefined, documented: string | undefined): void {
    if (actual === undefined || documented === undefined || this.#known.has(actual)) return;
    if (![...this.#known.values()].includes(documented)) this.#known.set(actual, documented);
  }
}

describe("section 10.5 of PROTOCOL.md", () => {
  it("has its exchanges where this test finds them", () => {
    expect(exchanges().map(({ steps }) => steps.length)).toEqual([7, 13, 7, 5, 9, 9, 20]);
  });

  it.each(exchanges())("plays: $title", async ({ steps }) => {
    const { bus, room, url, outgoings, before } = await start();
    const names = new Names();
    const peers = new Map<string, { peer: RawPeer; outgoing: Outgoing | undefined }>();
    const of = (number: string) => peers.get(number) as { peer: RawPeer; outgoing: Outgoing };
    const send = async (id: string, session?: string) => {
      const former = session && ([...peers.values()][0] ?? (await before(session)));
      const except = former ? former.outgoing : undefined;
      await room.newMessage({ id, text: "a", senderId: "ann", timestamp: 1795410578525 }, { except });
    };
    const acts: [RegExp, (...args: string[]) => unknown][] = [
      [
        /^\(has sent (\d+) messages to room\)$/,
        async (count) => {
          for (let i = 1; i <= Number(count); i++) await send(`m${i}`);
          const { top } = await bus.read("ChatApi/room", { epoch: "", offset: 0 }, 0);
          names.learnEpoch(top.epoch);
        },
      ],
      [/^\(sends (m\d+) to room(?:, except (\w+))?\)$/, send],
      [/^\(adds C(\d?) to room\)$/, async (number = "") => void (await room.add(of(number).outgoing))],
      [/^\(removes C(\d?) from room\)$/, (number = "") => room.remove(of(number).outgoing)],
      [/^\(loses what was kept of room\)$/, () => bus.lose()],
    ];
    for (const { who, what } of steps) {
      const number = who.slice(1);
      if (who === "P") {
        const act = acts.find(([form]) => form.test(what));
        if (!act) throw new Error(`the document has the program do what this test does not know: ${what}`);
        await act[1](...(act[0].exec(what)?.slice(1) ?? []));
      } else if (what.startsWith("h:")) {
        const peer = await RawPeer.open(url);
        peer.send(names.toProcess(what));
        peers.set(number, { peer, outgoing: undefined });
      } else if (what === "(closes with 1000)") {
        const { peer, outgoing } = of(number);
        const closed = new Promise<void>((resolve) => outgoing.onClose(() => resolve()));
        await peer.close();
        await closed;
      } else {
        expect(who[0]).toBe("S");
        expect(names.toDocument(await of(number).peer.next(), what)).toBe(what);
        if (what.startsWith("k:")) peers.set(number, { ...of(number), outgoing: await outgoings.next() });
      }
    }
    for (const { peer } of peers.values()) {
      if (peer.ws.readyState !== peer.ws.OPEN) continue;
      expect(await peer.framesUntilAnswerTo("r:ChatApi.ping:after:")).toEqual([]);
    }
  });
});
