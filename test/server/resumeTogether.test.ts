import { GG_METRICS, GGMetricsStore } from "@grest-ts/metrics";
import { GGSocketGroup, localBus } from "@grest-ts/websocket";
import fc from "fast-check";
import { expect, it, onTestFinished } from "vitest";
import { watchTheProcess } from "../hostile/watch.js";
import { ExtApi, type ExtOutgoing } from "../support/extApi.js";
import { serveNode } from "../support/groupSuite.js";
import { connectResuming, groupFrame } from "../support/resumingPeer.js";

watchTheProcess();

const SIZE = 6;
const SESSIONS = ["client_of_ann", "client_of_ben", "client_of_cem"];

type Step =
  /** A message, which the client of this number does not get. */
  | { readonly do: "publish"; readonly except: number | undefined }
  /** A client resumes, from so many messages before the latest. */
  | { readonly do: "resume"; readonly client: number; readonly missed: number };

const client = fc.nat(SESSIONS.length - 1);
const steps = fc.array(
  fc.oneof(fc.record({ do: fc.constant("publish" as const), except: fc.option(client, { nil: undefined }) }), {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("resume" as const), client, missed: fc.nat(SIZE + 1) }),
  }),
  { minLength: 10, maxLength: 24 },
);

it("gives each of many clients that resume from the same positions what it has missed, and nothing else", async () => {
  GG_METRICS.overwrite(new GGMetricsStore());
  const bus = localBus();
  onTestFinished(() => bus.close());
  const { url, outgoings } = await serveNode(bus, { keys: () => [] });
  const former: ExtOutgoing[] = [];
  for (const session of SESSIONS) {
    await connectResuming(url, { session, serial: 0 });
    former.push(await outgoings.next());
  }
  let groups = 0;
  let serial = 0;
  let recoveries = 0;

  async function check(run: readonly Step[]): Promise<void> {
    const name = `room ${++groups}`;
    const room = new GGSocketGroup(ExtApi, { name, bus, history: { size: SIZE, ttlMs: 60_000 } });
    const keeper = former[0] as ExtOutgoing;
    await room.add(keeper);
    const { epoch = "" } = room.position ?? {};
    /** Who does not get each message. */
    const sent: (number | undefined)[] = [];
    for (const step of run) {
      if (step.do === "publish") {
        sent.push(step.except);
        const except = step.except === undefined ? undefined : former[step.except];
        await room.news({ text: `${sent.length}` }, { except });
        continue;
      }
      const after = Math.max(sent.length - step.missed, 0);
      const peer = await connectResuming(url, {
        session: SESSIONS[step.client] as string,
        serial: ++serial,
        at: [[name, epoch, after]],
      });
      await room.add(await outgoings.next());
      const { alias, to } = groupFrame(await peer.next());
      const recovered = sent.length - after <= SIZE;
      if (recovered) recoveries++;
      expect(to).toMatchObject({ recovered, offset: recovered ? after : sent.length });
      const missed = recovered ? sent.slice(after) : [];
      expect(await peer.framesUntilAnswerTo('r:Ext.echo:rest:"x"')).toEqual(
        missed.map((except, i) => {
          const offset = after + i + 1;
          return except === step.client
            ? `g::${alias}:${offset}`
            : `m:Ext.news:${alias}.${offset}:{"text":"${offset}"}`;
        }),
      );
      await peer.close();
    }
    room.remove(keeper);
  }

  await fc.assert(fc.asyncProperty(steps, check), { numRuns: 30 });
  expect(recoveries).toBeGreaterThan(50);
}, 20_000);
