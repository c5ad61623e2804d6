import { GGContext, GGContextKey } from "@grest-ts/context";
import { expect, it } from "vitest";
import { GG_TRACE, type GGTrace } from "../src/index.js";

it("gives the current context a trace of its own, found by the key's name", () => {
  const before = Date.now();
  const parent = new GGContext("connection");
  const child = new GGContext("message", parent);
  parent.run(() => GG_TRACE.init());
  child.run(() => {
    expect(GG_TRACE.get()).toBe(parent.get(GG_TRACE));
    GG_TRACE.init();
    expect(new GGContextKey<GGTrace>("trace", GG_TRACE.schema).get()).toBe(child.get(GG_TRACE));
  });
  expect(child.get(GG_TRACE).traceId).not.toBe(parent.get(GG_TRACE).traceId);
  const { traceTimestamp, spanTimestamp } = parent.get(GG_TRACE);
  expect(spanTimestamp).toBe(traceTimestamp);
  expect(traceTimestamp).toBeGreaterThanOrEqual(before);
  expect(traceTimestamp).toBeLessThanOrEqual(Date.now());
});

it("cannot be created outside any context", () => {
  expect(() => GG_TRACE.init()).toThrow(/"trace".*no context/);
  expect(GG_TRACE.get()).toBeUndefined();
});

it("makes traces that differ and fit the key's schema", () => {
  const traces = Array.from({ length: 100 }, () => GG_TRACE.getNew());
  expect(new Set(traces.map(({ traceId }) => traceId)).size).toBe(100);
  expect(new Set(traces.map(({ spanId }) => spanId)).size).toBe(100);
  for (const trace of traces) {
    expect(trace).toEqual({
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
      traceTimestamp: expect.any(Number),
      spanId: expect.stringMatching(/^[0-9a-f]{16}$/),
      spanTimestamp: expect.any(Number),
    });
    expect(GG_TRACE.schema.is(trace)).toBe(true);
  }
});
