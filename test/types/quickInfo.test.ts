import ts from "typescript";
import { beforeAll, describe, expect, it } from "vitest";
import { programFile, sourceOptions } from "./compiler.js";

const PROGRAM = `
import { ERROR, IsArray, IsBoolean, IsObject, IsString, IsUint, NOT_FOUND } from "@grest-ts/schema";
import { GGSocketGroup, defineSocketContract, webSocketSchema } from "@grest-ts/websocket";
import { createHooks } from "@grest-ts/websocket/react";
import { callOn } from "@grest-ts/websocket/testkit";

const IsNote = IsObject({ id: IsString, tag: IsString.orUndefined });
const FULL = ERROR.define("FULL", 400, IsObject({ limit: IsUint }));
const contract = defineSocketContract("Notes", {
  clientToServer: {
    add: { input: IsObject({ text: IsString, tag: IsString.orUndefined }), success: IsNote, errors: [FULL] },
    count: { success: IsUint, errors: [NOT_FOUND] },
    list: { input: IsString.orUndefined, success: IsArray(IsNote) },
    seen: { input: IsObject({ id: IsString.brand("Id") }) },
    ping: {},
  },
  serverToClient: {
    added: { input: IsNote },
    confirm: { input: IsString, success: IsBoolean },
  },
});
const Api = webSocketSchema(contract).path("notes").queryOnConnect<{ board: string; page?: number }>().done();
const client = Api.createClient({ url: "ws://x", query: { board: "a" } });
const group = new GGSocketGroup(Api);
const api = callOn(Api);
const { useAnswer, useCall, usePush, usePushState } = createHooks(Api);
`;

/** What an editor shows, each `^` of these snippets standing before the place that is asked for. */
function quickInfoOf(snippets: readonly string[]): readonly string[] {
  let text = PROGRAM;
  const places = snippets.map((snippet) => {
    text += "Api.register(async (incoming, outgoing, query) => { ";
    const place = text.length + snippet.indexOf("^");
    text += `${snippet.replace("^", "")} });\n`;
    return place;
  });
  const isProgram = (name: string) => name === programFile;
  const readFile = (name: string) => (isProgram(name) ? text : ts.sys.readFile(name));
  const service = ts.createLanguageService({
    readFile,
    fileExists: (name) => isProgram(name) || ts.sys.fileExists(name),
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
    getCurrentDirectory: ts.sys.getCurrentDirectory,
    getCompilationSettings: () => sourceOptions({ noUnusedLocals: false, noUnusedParameters: false }),
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    getScriptFileNames: () => [programFile],
    getScriptVersion: () => "",
    getScriptSnapshot(name) {
      const content = readFile(name);
      return content === undefined ? undefined : ts.ScriptSnapshot.fromString(content);
    },
  });
  expect(service.getSemanticDiagnostics(programFile).map(({ messageText }) => messageText)).toEqual([]);
  return places.map((place) => {
    const parts = service.getQuickInfoAtPosition(programFile, place)?.displayParts;
    return ts.displayPartsToString(parts).replace(/\s+/g, " ");
  });
}

const ADDED = "{ id: string; tag?: string | undefined; }";
const SERVER_FAILURE = 'ERROR<"SERVER_ERROR", never>';
const FAILURES = [SERVER_FAILURE, 'ERROR<"VALIDATION_ERROR", ', 'ERROR<"FULL", { limit: tUint; }>'];

/** A snippet, and what is shown: from the beginning, and anywhere. */
type Case = [snippet: string, start: string, ...parts: string[]];

const CASES: Case[] = [
  [
    "client.outgoing.^add;",
    `(property) add: (data: { text: string; tag?: string | undefined; }, options?: GGCallOptions) => GGPromise<${ADDED}, `,
    ...FAILURES,
  ],
  [
    "client.outgoing.^count;",
    "(property) count: (data?: undefined, options?: GGCallOptions) => GGPromise<tUint, ",
    SERVER_FAILURE,
    'ERROR<"NOT_FOUND", never>',
  ],
  [
    "client.outgoing.^list;",
    `(property) list: (data?: string | undefined, options?: GGCallOptions) => GGPromise<${ADDED}[], `,
  ],
  [
    "client.outgoing.^seen;",
    `(property) seen: (data: { id: string; }, options?: GGCallOptions) => GGPromise<void, ${SERVER_FAILURE}>`,
  ],
  [
    "client.outgoing.^ping;",
    `(property) ping: (data?: undefined, options?: GGCallOptions) => GGPromise<void, ${SERVER_FAILURE}>`,
  ],
  ['const ^note = await client.outgoing.add({ text: "a" });', `const note: ${ADDED}`],
  [
    'const ^result = await client.outgoing.add({ text: "a" }).asResult();',
    "const result: ",
    `OK<${ADDED}>`,
    ...FAILURES,
  ],
  [
    "const result = await client.outgoing.count().asResult(); result.^type;",
    "(property) ",
    '"OK"',
    '"NOT_FOUND"',
    '"SERVER_ERROR"',
  ],
  [
    'const result = await client.outgoing.add({ text: "a" }).asResult(); if (result.type === "FULL") result.^data;',
    '(property) ERROR<"FULL", { limit: tUint; }>.data: { limit: tUint; }',
  ],
  [
    "client.incoming.^on({});",
    `(method) on(handlers: Partial<{ added: (data: ${ADDED}) => void; confirm: (data: string) => boolean | PromiseLike<boolean>; }>): `,
  ],
  ["client.incoming.on({ ^added() {} });", `(property) added?: ((data: ${ADDED}) => void)`],
  [
    "client.incoming.on({ ^confirm: () => true });",
    "(property) confirm?: ((data: string) => boolean | PromiseLike<boolean>)",
  ],
  ["client.incoming.on({ added: (^note) => {} });", `(parameter) note: ${ADDED}`],
  [
    "incoming.^on;",
    "(method) on(handlers: { add: (data: { text: string; tag?: string | undefined; }) => ",
    "count: () => number | PromiseLike<number>; ",
    "ping: () => void; }): ",
  ],
  [
    "({ add: async (^data) => ({ id: data.text }) }) satisfies Partial<Parameters<typeof incoming.on>[0]>;",
    "(parameter) data: { text: string; tag?: string | undefined; }",
  ],
  [
    "outgoing.^added;",
    `(property) added: (data: ${ADDED}, options?: GGCallOptions) => GGPromise<void, ${SERVER_FAILURE}>`,
  ],
  [
    "outgoing.^confirm;",
    "(property) confirm: (data: string, options?: GGCallOptions) => GGPromise<boolean, ",
    SERVER_FAILURE,
  ],
  ["outgoing.^onClose;", "(method) onClose(callback: () => void): "],
  ["^query;", "(parameter) query: { board: string; page?: number; }"],
  [
    "group.^added;",
    `(property) added: (data: ${ADDED}, options?: GGGroupCallOptions) => GGPromise<void, ${SERVER_FAILURE}>`,
  ],
  ["api.^add;", `(property) add: (input: { text: string; tag?: string | undefined; }) => GGSocketCall<`, ...FAILURES],
  [
    '^usePush("added", () => {});',
    `const usePush: <"added">(method: "added", handler: (data: ${ADDED}) => void) => void`,
  ],
  ['usePush("added", (^note) => {});', `(parameter) note: ${ADDED}`],
  ['const ^notes = usePushState("added", (all, one) => [...all, one], []);', `const notes: readonly ${ADDED}[]`],
  ['useAnswer("confirm", (^text) => text === "a");', "(parameter) text: string"],
  [
    'const { ^call } = useCall("add");',
    "const call: (data: { text: string; tag?: string | undefined; }, options?: GGCallOptions | undefined) => Promise<",
    `OK<${ADDED}>`,
    ...FAILURES,
  ],
  ['const { ^data } = useCall("count");', "const data: tUint | undefined"],
  ['const { ^error } = useCall("add");', "const error: ", ...FAILURES],
  ["api.mock.^added;", `(property) added: GGSocketMock<${ADDED}, never, ${ADDED}>`],
];

/** Its result is a client of the contract, which an editor can only show as such. */
const CREATE_CLIENT = "Api.^createClient;";

describe("an editor shows", () => {
  let shown: readonly string[] = [];

  beforeAll(() => {
    shown = quickInfoOf([CREATE_CLIENT, ...CASES.map(([snippet]) => snippet)]);
  }, 60_000);

  it("the options of createClient before anything of the contract", () => {
    expect(shown[0]).toMatch(
      /^\(method\) createClient\(config\?: GGWebSocketClientConfig<\{ board: string; page\?: number; \}>.*?\): GGWebSocketClient</,
    );
  });

  it.each(CASES.map(([snippet, start, ...parts], at) => ({ snippet, start, parts, at })))(
    "what there is at $snippet",
    ({ start, parts, at }) => {
      const text = shown[at + 1] ?? "";
      expect(text.slice(0, start.length)).toBe(start);
      for (const part of parts) expect(text).toContain(part);
      expect(text).not.toMatch(/Schema<|CallResult|success:/);
    },
  );
});
