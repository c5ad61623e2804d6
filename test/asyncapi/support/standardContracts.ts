import { defineSocketContract, webSocketSchema } from "@grest-ts/websocket";
import { toStandardJsonSchema } from "@valibot/to-json-schema";
import { type } from "arktype";
import * as v from "valibot";
import { z } from "zod";

const node = z.object({
  name: z.string().meta({ description: "Its name" }),
  get next() {
    return node.optional();
  },
});

const everything = z.object({
  email: z.email(),
  pair: z.tuple([z.string(), z.number()]).rest(z.boolean()),
  none: z.tuple([]),
  never: z.array(z.never()),
  either: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("a"), a: z.string() }),
    z.object({ kind: z.literal("b"), b: z.int().min(3) }),
  ]),
  record: z.record(z.string(), z.number()),
  defaulted: z.string().default("x"),
  nullable: z.string().nullable(),
  both: z.intersection(z.object({ l: z.string() }), z.object({ r: z.string() })),
});

/** Contracts of zod, valibot and arktype. */
export const ZodApi = webSocketSchema(
  defineSocketContract("ZodApi", {
    clientToServer: {
      call: { input: everything, success: everything },
      recursive: { input: node, success: node },
      transformed: { input: z.string().transform(Number), success: z.string() },
    },
    serverToClient: { push: { input: z.object({ at: z.date() }) } },
  }),
)
  .path("ws/zod")
  .done();

export const ValibotApi = webSocketSchema(
  defineSocketContract("ValibotApi", {
    clientToServer: {
      call: {
        input: toStandardJsonSchema(
          v.object({
            name: v.pipe(v.string(), v.nonEmpty()),
            age: v.optional(v.number()),
            pair: v.tuple([v.string()]),
          }),
        ),
        success: toStandardJsonSchema(v.union([v.string(), v.null()])),
      },
      undescribed: { input: v.object({ name: v.string() }), success: v.string() },
    },
    serverToClient: {},
  }),
)
  .path("ws/valibot")
  .done();

export const ArktypeApi = webSocketSchema(
  defineSocketContract("ArktypeApi", {
    clientToServer: {
      call: {
        input: type({ name: "string > 0", "age?": "0 <= number.integer < 150", tags: "string[]" }),
        success: type("'a' | 'b' | 3"),
      },
    },
    serverToClient: { push: { input: type({ list: ["string", "number"] }) } },
  }),
)
  .path("ws/arktype")
  .done();
