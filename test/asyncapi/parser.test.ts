import { toAsyncApi } from "@grest-ts/websocket/asyncapi";
import { describe, expect, it } from "vitest";
import { ChatApi } from "../../examples/chat/shared/ChatApi.js";
import { haveEcosystem } from "../support/ecosystem.js";
import { Empty, hostileApis, Kinds } from "./support/contracts.js";
import { adviceOn } from "./support/officialParser.js";
import { ArktypeApi, ValibotApi, ZodApi } from "./support/standardContracts.js";

const INFO = { title: "Test", version: "1.0.0" };

/** The official parser, without an error, a warning or advice. Each takes it seconds. */
describe.skipIf(!haveEcosystem())("the official parser of AsyncAPI", { timeout: 30_000 }, () => {
  it.each([
    [
      "the chat",
      [ChatApi],
      {
        ...INFO,
        servers: { live: "wss://chat.example/prefix", "a b": { url: "http://[::1]:80", description: "Here" } },
      },
    ],
    [
      "every kind of method and validator",
      [Kinds],
      { ...INFO, description: "", contact: { name: "A", email: "a@b.example" }, license: { name: "MIT" } },
    ],
    ["zod, valibot and arktype", [ZodApi, ValibotApi, ArktypeApi], INFO],
    ["hostile names", hostileApis, INFO],
    [
      "a scheme of the program",
      [Kinds],
      { ...INFO, security: { type: "http", scheme: "bearer", bearerFormat: "JWT" } as const },
    ],
    ["an API without methods", [Empty], INFO],
    ["no API", [], INFO],
  ])("has no advice on a document of %s", async (_of, schemas, info) => {
    const document = toAsyncApi(schemas, info);
    const { advice, operations } = await adviceOn(document);
    expect(advice).toEqual([]);
    expect(operations).toEqual(Object.keys(document.operations));
  });

  it("finds a fault where there is one", async () => {
    const document = toAsyncApi([Empty], INFO);
    const { advice } = await adviceOn({ ...document, channels: {} });
    expect(advice.length).toBeGreaterThan(0);
  });
});
