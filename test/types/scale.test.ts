import { describe, expect, it } from "vitest";
import { check } from "./compiler.js";

/** A program that defines a contract with this many methods, half of them each way, serves it and calls every method. */
function programOf(methods: number): string {
  const names = Array.from({ length: methods / 2 }, (_, i) => `m${i}`);
  const definitions = names
    .map(
      (name, i) =>
        `${name}: { input: IsObject({ id: IsId, n${i}: IsUint }), success: IsObject({ r${i}: IsArray(IsId) }), errors: [E${i % 10}, VALIDATION_ERROR, SERVER_ERROR] },`,
    )
    .join("\n");
  return `
import { ERROR, IsArray, IsObject, IsString, IsUint, SERVER_ERROR, VALIDATION_ERROR } from "@grest-ts/schema";
import { defineSocketContract, type WebSocketIncoming, type WebSocketOutgoing, webSocketSchema } from "@grest-ts/websocket";
const IsId = IsString.brand("Id");
${Array.from({ length: 10 }, (_, i) => `const E${i} = ERROR.define("E${i}", 400, IsObject({ d${i}: IsUint }));`).join("\n")}
const contract = defineSocketContract("Big", { clientToServer: { ${definitions} }, serverToClient: { ${definitions} } });
const Api = webSocketSchema(contract).path("big").queryOnConnect<{ room: string }>().done();
export function handle(incoming: WebSocketIncoming<typeof contract.methods.clientToServer>, outgoing: WebSocketOutgoing<typeof contract.methods.serverToClient>) {
  incoming.on({ ${names.map((name, i) => `${name}: async ({ id, n${i} }) => { outgoing.${name}({ id, n${i} }); return { r${i}: [id] }; },`).join("\n")} });
}
Api.register(handle);
export async function call(client = Api.createClient({ url: "ws://x", query: { room: "a" } })) {
  client.incoming.on({ ${names.map((name, i) => `${name}: async ({ id }) => ({ r${i}: [id] }),`).join("\n")} });
  ${names.map((name, i) => `const r${i} = await client.outgoing.${name}({ id: "plain", n${i}: ${i} }).asResult(); if (r${i}.type === "E${i % 10}") { const d: number = r${i}.data.d${i % 10}; void d; }`).join("\n")}
}
// @ts-expect-error the sources are checked, not skipped
client.outgoing.nope();
`;
}

describe("a contract of 300 methods", () => {
  it("type-checks, and does not compare whole schemas for every one of them", { timeout: 60_000 }, () => {
    const small = check(programOf(50));
    const large = check(programOf(300));
    expect(small.messages).toEqual([]);
    expect(large.messages).toEqual([]);
    expect(small.instantiations).toBeLessThan(75_000);
    expect(large.instantiations).toBeLessThan(300_000);
  });
});
