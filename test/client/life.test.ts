import fc from "fast-check";
import { afterEach, expect, it, vi } from "vitest";
import type { ClientState } from "../../src/api/client.js";
import { runningDeadlines } from "../../src/connection/deadlines.js";
import { watchTheProcess } from "../hostile/watch.js";
import { ProbeApi } from "../support/probe.js";
import { Queue } from "../support/queue.js";
import { BEHAVIOURS, type Behaviour, ScriptedServer } from "../support/scriptedServer.js";
import { recordingLogger } from "../support/server.js";

watchTheProcess();
afterEach(() => vi.restoreAllMocks());

const RUNS = Number(process.env.HOSTILE_RUNS ?? 60);

/** What a promise of the client that never settles loses against. */
const late = () => new Promise((resolve) => setTimeout(resolve, 10_000, "late"));

/** What a program does with its client, outside of callbacks and inside. */
const ACTS = ["connect", "disconnect", "close", "forceReconnect", "call", "send"] as const;
type Act = (typeof ACTS)[number];
/** A callback acts on the client and waits for that, or not; a set-up may also fail, or never end. */
const CALLBACKS = [...ACTS, ...ACTS.map((act) => `await ${act}` as const), "throw", "hang", "nothing"] as const;
type CallbackStep = (typeof CALLBACKS)[number];
/** What happens from outside. */
const STEPS = [...ACTS, "connect with a set-up", "server drops", "server drains"] as const;
/** Waits for the next state, which may not come. */
const PAUSE = "something happens";
const steps = fc
  .array(fc.tuple(fc.constantFrom(...STEPS), fc.nat({ max: 2 })), { minLength: 1, maxLength: 10 })
  .map((pairs) => [
    "connect with a set-up",
    ...pairs.flatMap(([step, pauses]) => [...Array(pauses).fill(PAUSE), step]),
  ]);
/** Most callbacks do nothing, since many of the others end the client at once. */
const callbackSteps = fc.oneof(
  { weight: 3, arbitrary: fc.constant("nothing" as const) },
  fc.constantFrom(...CALLBACKS),
);

const scenario = fc.record({
  behaviours: fc.array(fc.constantFrom(...BEHAVIOURS), { maxLength: 12 }),
  steps,
  reconnect: fc.constantFrom(false, true, "initial"),
  beforeConnect: callbackSteps,
  setup: callbackSteps,
  onDisconnect: callbackSteps,
  onState: callbackSteps,
  handler: callbackSteps,
});

/** From each state to those that may follow; the same state again reports another attempt. */
const FOLLOWING: Readonly<Record<ClientState, readonly ClientState[]>> = {
  idle: ["connecting"],
  connecting: ["connecting", "connected", "reconnecting", "closed"],
  connected: ["reconnecting", "closed"],
  reconnecting: ["reconnecting", "connected", "closed"],
  closed: ["connecting"],
};

it("settles every promise, releases every connection, and dials no more often than its back-off permits", {
  timeout: 120_000,
}, async () => {
  let pauses = 0;
  vi.spyOn(Math, "random").mockImplementation(() => {
    pauses++;
    return 0.5;
  });
  const deadlinesBefore = runningDeadlines();
  await fc.assert(
    fc.asyncProperty(scenario, async ({ behaviours, steps, reconnect, ...callbacks }) => {
      pauses = 0;
      const server = await ScriptedServer.start(behaviours as readonly Behaviour[]);
      const delays = { initialDelayMs: 2, maxDelayMs: 4, initial: reconnect === "initial" };
      const promises: Promise<unknown>[] = [];
      let forced = 0;
      /** Callbacks act a few times only: a program that connects whenever it is disconnected never ends. */
      let left = 8;
      const act = (name: Act): Promise<unknown> => {
        const done = (() => {
          if (name === "connect") return client.connect();
          if (name === "disconnect") return client.disconnect();
          if (name === "close") return Promise.resolve(client.close());
          if (name === "call") return client.outgoing.echo({ text: "x" }).asResult();
          if (name === "send") return client.outgoing.ping().asResult();
          forced++;
          return client.forceReconnect();
        })();
        promises.push(done.catch((error: unknown) => error));
        return done;
      };
      const callback = (step: CallbackStep) => (): unknown => {
        if (left-- <= 0 || step === "nothing") return undefined;
        if (step === "throw") throw new Error("thrown");
        if (step === "hang") return new Promise(() => {});
        const [name, isAwaited] = step.split(" ").reverse() as [Act, string?];
        const done = act(name);
        return isAwaited ? done : undefined;
      };
      const client = ProbeApi.createClient({
        url: server.url,
        logger: recordingLogger(),
        timeout: 100,
        reconnect: reconnect ? delays : false,
        beforeConnect: callback(callbacks.beforeConnect) as () => void,
      });
      const states: ClientState[] = ["idle"];
      const reasons: string[] = [];
      client.onState((state) => states.push(state));
      const stateChange = new Queue<void>();
      client.onState(() => stateChange.push());
      client.onClose((reason) => reasons.push(reason));
      client.onState(callback(callbacks.onState) as () => void);
      /** How often the set-up that stays has run, and whether the client was closed meanwhile. */
      let joins = 0;
      let joinsWhenClosed = 0;
      client.onConnect(() => {
        joins++;
        if (client.state === "closed") joinsWhenClosed++;
      });
      client.onDisconnect(callback(callbacks.onDisconnect) as () => void);
      client.incoming.on({ news: callback(callbacks.handler) as () => void, ask: () => 1 });

      for (const step of steps) {
        if (step === "server drops") server.drop();
        else if (step === "server drains") server.drain();
        else if (step === PAUSE)
          await Promise.race([stateChange.next(), new Promise((resolve) => setTimeout(resolve, 10))]);
        else if (step === "connect with a set-up") {
          promises.push(client.connect(callback(callbacks.setup) as () => void).catch((error: unknown) => error));
        } else void act(step as Act).catch(() => {});
      }
      left = 0;
      client.close();

      // Each settles at once, or by the time limit of a call.
      expect(await Promise.race([Promise.all(promises), late()])).not.toBe("late");
      expect(client.isConnected).toBe(false);
      await vi.waitFor(() => expect(server.open).toBe(0));
      for (const [i, state] of states.slice(1).entries()) expect(FOLLOWING[states[i] as ClientState]).toContain(state);
      const sessions = states.filter((state, i) => state === "connecting" && states[i - 1] !== "connecting").length;
      expect(states.filter((state) => state === "closed")).toHaveLength(sessions);
      expect(reasons.length).toBeLessThanOrEqual(sessions);
      // A set-up runs once for a connection that was accepted, and for none that is closed.
      expect(joins).toBeLessThanOrEqual(server.accepted);
      expect(joinsWhenClosed).toBe(0);
      // Each dial is the first of a session, forced, the first replacement of a connection, or follows a pause.
      expect(server.dials).toBeLessThanOrEqual(2 * sessions + forced + pauses);
      server.stop();
    }),
    { numRuns: RUNS, seed: process.env.HOSTILE_SEED ? Number(process.env.HOSTILE_SEED) : undefined },
  );
  // Throttled warnings of a client have an interval of 10 s, which outlives its connections.
  await vi.waitFor(() => expect(runningDeadlines()).toBe(deadlinesBefore), 15_000);
});
