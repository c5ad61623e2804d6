import { describe, expect, it } from "vitest";
import { Rings } from "../../src/inspect/ring.js";

const frame = { side: "server", direction: "sent", kind: "message", bytes: 1 } as const;

/** The numbers of the frames that are kept of a connection. */
const keptOf = (rings: Rings, id: string) => rings.recent(id).map(({ at }) => at);

/** The latest of 1 to `last`. */
const latest = (count: number, last: number) => Array.from({ length: count }, (_, at) => last - count + 1 + at);

describe("the frames that are kept", () => {
  it.each([0, 1, 2, 7])("are %i of a connection at most, the latest ones in their order", (keep) => {
    const rings = new Rings(keep, 1);
    rings.opened("a", "server");
    for (let at = 1; at <= 40; at++) {
      rings.add({ ...frame, at, connection: "a" });
      expect(keptOf(rings, "a")).toEqual(latest(Math.min(keep, at), at));
    }
  });

  it.each([
    { connections: 1, each: 40, keep: 500 },
    { connections: 3, each: 600, keep: 500 },
    { connections: 20, each: 80, keep: 500 },
    { connections: 20, each: 200, keep: 30 },
    { connections: 600, each: 3, keep: 500 },
    { connections: 1_500, each: 2, keep: 500 },
  ])(
    "are 1,000 of all at most, and those with few keep them: $connections with $each",
    ({ connections, each, keep }) => {
      const rings = new Rings(keep, 2, 1_000);
      for (const id of ["closed", "quiet"]) {
        rings.opened(id, "server");
        rings.add({ ...frame, at: 1, connection: id });
      }
      rings.closed("closed");
      for (let i = 0; i < connections; i++) rings.opened(`${i}`, "server");
      for (let at = 1; at <= each; at++) {
        for (let i = 0; i < connections; i++) rings.add({ ...frame, at, connection: `${i}` });
        const { length } = rings.recent();
        expect(length).toBeLessThanOrEqual(1_000);
        expect(length).toBeGreaterThanOrEqual(Math.min(600, connections * Math.min(at, keep)));
      }
      for (let i = 0; i < connections; i++) {
        const kept = keptOf(rings, `${i}`);
        expect(kept).toEqual(latest(kept.length, each));
      }
      expect(keptOf(rings, `${connections - 1}`).length).toBeGreaterThanOrEqual(1);
      if (connections < 900) for (const id of ["closed", "quiet"]) expect(keptOf(rings, id)).toEqual([1]);
    },
  );

  it("make room when connections close and are forgotten", () => {
    const rings = new Rings(500, 1, 1_000);
    for (let i = 0; i < 30; i++) {
      const id = `${i}`;
      rings.opened(id, "server");
      for (let at = 1; at <= 400; at++) rings.add({ ...frame, at, connection: id });
      // Nothing was taken from it: of all before it there is one.
      expect(keptOf(rings, id)).toHaveLength(400);
      rings.closed(id);
      expect(rings.connections).toHaveLength(1);
    }
  });

  it("are 100,000 unless the program says otherwise", () => {
    const rings = new Rings();
    for (let i = 0; i < 201; i++) rings.opened(`${i}`, "server");
    for (let i = 0; i < 200; i++) for (let at = 1; at <= 500; at++) rings.add({ ...frame, at, connection: `${i}` });
    expect(rings.recent()).toHaveLength(100_000);
    rings.add({ ...frame, at: 1, connection: "200" });
    expect(rings.recent()).toHaveLength(200 * 449 + 1);
  });
});
