import type { GGContextKey } from "@grest-ts/context";
import { expectTypeOf, it } from "vitest";
import { GG_TRACE } from "../src/index.js";

it("is a context key of a trace", () => {
  expectTypeOf(GG_TRACE).toExtend<
    GGContextKey<{
      traceId: string;
      traceTimestamp: number;
      parentSpanId?: string;
      spanId: string;
      spanTimestamp: number;
    }>
  >();
});
