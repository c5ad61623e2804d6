import { join } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { root } from "../support/paths.js";

/** A program that defines a contract with this many methods each way, serves it and calls every method. */
function programOf(methods: number): string {
  const names = Array.from({ length: methods }, (_, i) => `m${i}`);
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

function check(methods: number): { messages: string[]; instantiations: number } {
  const config = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root);
  const file = join(root, "test/types/generated.ts");
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile.bind(host);
  const source = ts.createSourceFile(file, programOf(methods), options.target ?? ts.ScriptTarget.ES2022);
  host.getSourceFile = (name, ...rest) => (name === file ? source : read(name, ...rest));
  host.fileExists = (name) => name === file || ts.sys.fileExists(name);
  const program = ts.createProgram([file], options, host);
  const messages = program
    .getSemanticDiagnostics(source)
    .map(({ code, messageText }) => `TS${code} ${ts.flattenDiagnosticMessageText(messageText, "\n")}`);
  return { messages, instantiations: program.getInstantiationCount() };
}

describe("a contract of 200 methods each way", () => {
  it("type-checks, at a cost that grows with their number and no faster", { timeout: 60_000 }, () => {
    const small = check(50);
    const large = check(200);
    expect(small.messages).toEqual([]);
    expect(large.messages).toEqual([]);
    expect(large.instantiations / small.instantiations).toBeLessThan(5);
    expect(large.instantiations / 200).toBeLessThan(8_000);
  });
});
