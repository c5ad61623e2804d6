import { beforeAll, describe, expect, it } from "vitest";
import { check } from "./compiler.js";

const PROGRAM = `
import { type GGValidator, IsObject, IsString } from "@grest-ts/schema";
import { defineSocketContract, type WebSocketIncoming, webSocketSchema } from "@grest-ts/websocket";
const contract = defineSocketContract("Notes", {
  clientToServer: {
    add: { input: IsObject({ text: IsString }), success: IsObject({ id: IsString }) },
    seen: { input: IsObject({ id: IsString }) },
    ping: {},
  },
  serverToClient: {},
});
declare const incoming: WebSocketIncoming<typeof contract.methods.clientToServer>;
declare const bare: GGValidator<string>;
`;

const MISTAKES = [
  {
    mistake: "a missing handler",
    statement: "incoming.on({ seen: () => {}, ping: () => {} });",
    says: "Property 'add' is missing in type",
  },
  {
    mistake: "missing handlers",
    statement: "incoming.on({ add: () => ({ id: '' }) });",
    says: "is missing the following properties from type",
    and: "seen, ping",
  },
  {
    mistake: "a wrong result",
    statement: "incoming.on({ add: () => ({ id: 1 }), seen: () => {}, ping: () => {} });",
    says: "Type 'number' is not assignable to type 'string'.",
  },
  {
    mistake: "a validator that is no schema",
    statement:
      "export const wrong1 = defineSocketContract('X', { clientToServer: { a: { input: bare } }, serverToClient: {} });",
    says: "Property 'infer' is missing in type 'GGValidator<string>' but required in type 'GGSocketMethodSchema'.",
  },
  {
    mistake: "a text in place of a schema",
    statement:
      "export const wrong2 = defineSocketContract('X', { clientToServer: { a: { input: 'text' } }, serverToClient: {} });",
    says: "Type 'string' is not assignable to type 'GGSocketMethodSchema | StandardSchemaV1",
  },
];

describe("the compiler", () => {
  let messages: readonly string[] = [];

  beforeAll(() => {
    messages = check(PROGRAM + MISTAKES.map(({ statement }) => statement).join("\n"), {
      noUnusedLocals: false,
    }).messages;
  }, 60_000);

  it("has one message for each mistake", () => {
    expect(messages).toHaveLength(MISTAKES.length);
  });

  it.each(MISTAKES.map((mistake, at) => ({ ...mistake, at })))(
    "names $mistake, and shows no schema",
    ({ at, says, and }) => {
      expect(messages[at]).toContain(says);
      expect(messages[at]).toContain(and ?? says);
      expect(messages[at]).not.toMatch(/GG\w+Schema<|success:/);
    },
  );
});
