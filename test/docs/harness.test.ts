import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requireBuild } from "../browser/support/bundle.js";
import { haveEcosystem } from "../support/ecosystem.js";
import { codeOf, packagesOf } from "./codeBlocks.js";
import { brokenLinks } from "./links.js";
import { parseMarkdown } from "./markdown.js";
import { needsEcosystem, type Page, pageOf } from "./pages.js";
import { type ProgramResult, runProgram, runPrograms } from "./runProgram.js";
import { type TypeProblem, typeCheck } from "./typeCheck.js";
import { type Workspace, writeWorkspace } from "./workspace.js";

/** What tests the documents finds the faults that it is there for. */

const fence = (info: string, ...code: readonly string[]) => ["```".concat(info), ...code, "```", ""].join("\n");

/** It does not wait until it listens, as programs need not. */
const SERVER = [
  'import { connect, createServer } from "node:net";',
  "const server = createServer((socket) => socket.end()).listen(8080);",
  "await new Promise((resolve) => connect(8080).on('close', resolve).resume());",
  "server.close();",
];

const MAIN = [
  'import { createServer } from "node:http";',
  "const server = createServer((_, response) => response.end('hello'));",
  "server.listen(3000, () => console.log('ready'));",
  "process.once('SIGTERM', () => server.close());",
];
const ASK = "console.log(await (await fetch('http://localhost:3000')).text());";

describe("the rules for code blocks", () => {
  it("finds files, programs and fragments with their lines, and leaves other languages alone", () => {
    const code = codeOf(
      [fence("ts [a/b.ts]", "1;"), fence("tsx [c.tsx] run", "2;"), fence("ts", "3;"), fence("sh", "npm i")].join("\n"),
    );
    expect(code).toEqual({
      editions: [
        [
          { path: "a/b.ts", code: "1;\n", line: 2, runs: false },
          { path: "c.tsx", code: "2;\n", line: 6, runs: true },
        ],
      ],
      fragments: [{ path: "fragment-10.ts", code: "3;\n", line: 10, runs: false }],
      problems: [],
    });
  });

  it("keeps what a later block replaces, and runs it only as it was", () => {
    const { editions } = codeOf(
      [fence("ts [a.ts] run", "1;"), fence("ts [b.ts]", "2;"), fence("ts [b.ts]", "3;")].join(""),
    );
    expect(editions.map((edition) => edition.map(({ path, code, runs }) => [path, code, runs]))).toEqual([
      [
        ["a.ts", "1;\n", true],
        ["b.ts", "2;\n", false],
      ],
      [
        ["a.ts", "1;\n", false],
        ["b.ts", "3;\n", false],
      ],
    ]);
  });

  it.each([
    "ts a.ts",
    "ts [a.ts] runs",
    "ts [a.ts] run with b.ts",
    "ts [../a.ts]",
    "ts [a.tsx]",
    "tsx [a.ts]",
    "ts twoslash",
    "typescript",
    "mts",
    "",
  ])("refuses a fence of the kind `%s`", (info) => {
    expect(codeOf(fence(info, "1;")).problems).toEqual([expect.stringMatching(/^2: /)]);
  });

  it("takes what a program prints, and refuses it of what is no program", () => {
    const ok = codeOf(
      [fence("ts [a.ts] run", "1;"), fence("text [a.ts]", "one", "two"), fence("text", "free")].join(""),
    );
    expect(ok).toMatchObject({ problems: [], editions: [[{ path: "a.ts", prints: "one\ntwo\n" }]] });
    const bad = [fence("ts [a.ts]", "1;"), fence("text [a.ts]", "one"), fence("text a.ts", "one")].join("");
    expect(codeOf(bad).problems).toEqual([expect.stringMatching(/^5: /), expect.stringMatching(/^8: /)]);
  });

  it("refuses a fence that never ends", () => {
    expect(() => codeOf("text\n```ts\n1;\n")).toThrow("line 3 never ends");
  });

  it("knows the packages of imports of every form", () => {
    const code = fence(
      "ts",
      'import a, { b } from "express";',
      'import "@scope/name/part";',
      'export * from "./own.js";',
      'await import("fastify");',
      "import {",
      "  c,",
      '} from "hono";',
    );
    expect([...packagesOf(codeOf(code))]).toEqual(["express", "@scope/name", "fastify", "hono"]);
  });

  it("knows which pages need the packages of others", () => {
    expect(needsEcosystem(pageOf("docs/sample.md", fence("ts", 'import express from "express";')))).toBe(true);
    expect(needsEcosystem(pageOf("docs/sample.md", fence("ts", 'import http from "node:http";')))).toBe(false);
  });
});

describe("links", () => {
  it("finds links to files and headings that do not exist, and no others", () => {
    const text = [
      "# A `Name.of()` & more",
      "## Twice",
      "## Twice",
      "[up](#a-nameof--more) [twice](#twice-1) [out](https://example.com/x#y) [pages](PROTOCOL.md) ![picture](LICENSE)",
      "[thrice](#twice-2) [gone](docs/none.md) [lost](README.md#none-such) [far](../elsewhere.md) [code](LICENSE#line)",
      "`[in code](none.md)`",
      "```md",
      "[in a fence](none.md)",
      "```",
      "[named]: none.md",
    ].join("\n");
    expect(brokenLinks("SAMPLE.md", text)).toEqual([
      "SAMPLE.md:5: #twice-2: there is no such heading",
      "SAMPLE.md:5: docs/none.md: there is no such file",
      "SAMPLE.md:5: README.md#none-such: there is no such heading",
      "SAMPLE.md:5: ../elsewhere.md: outside of the repository",
      "SAMPLE.md:5: LICENSE#line: no document with headings",
      "SAMPLE.md:10: none.md: there is no such file",
    ]);
  });

  it("makes anchors as GitHub does", () => {
    const headings = ["# What's new?", "## `a_b` and [c](d.md)", "## Ünder 2 €", "## Done ##"].join("\n");
    expect([...parseMarkdown(headings).anchors]).toEqual(["whats-new", "a_b-and-c", "ünder-2-", "done"]);
  });
});

const WITHOUT_SCOPE = ['import { GG_METRICS } from "@grest-ts/metrics";'];

/** One program for what each of these packages must be: the root's or that of `test/fixtures/ecosystem`. */
const PACKAGES = [
  'import { createServer } from "node:http";',
  'import { GGHttpServer } from "@grest-ts/http";',
  'import express from "express";',
  'import fastify from "fastify";',
  'import { Hono } from "hono";',
  'import { version } from "react";',
  "new GGHttpServer().httpServer.on('request', express());",
  "createServer(express());",
  "console.log(version.split('.')[0], typeof fastify().listen, typeof new Hono().get);",
  "console.log(import.meta.resolve('@grest-ts/websocket').split('/').slice(-2).join('/'));",
];

describe("what is compiled and run", { timeout: 60_000 }, () => {
  const hasOthers = haveEcosystem();
  const markdown = [
    fence("ts [api.ts]", "export const size: number = 1;"),
    fence("ts [fails.ts] run", 'import { size } from "./api.js";', "throw new Error(String(size));"),
    fence("ts [ends.ts] run", ...SERVER),
    fence("ts [endsToo.ts] run", ...SERVER),
    fence("ts [main.ts]", ...MAIN),
    fence("ts [asks.ts] run with main.ts", ASK),
    fence("ts [badMain.ts]", ...MAIN, "process.on('SIGTERM', () => process.exit(3));"),
    fence("ts [asksToo.ts] run with badMain.ts", ASK),
    fence("ts [hangs.ts] run", "setInterval(() => {}, 1_000);", "export {};"),
    fence("ts [b.test.ts] run", 'import { expect, it } from "vitest";', 'it("holds", () => expect(1).toBe(2));'),
    fence("ts [scope.ts] run", ...WITHOUT_SCOPE, "GG_METRICS.has();"),
    fence(
      "ts [scope.test.ts] run",
      ...WITHOUT_SCOPE,
      'import { it } from "vitest";',
      'it("has", () => void GG_METRICS.has());',
    ),
    ...(hasOthers ? [fence("ts [others.ts] run", ...PACKAGES)] : []),
    fence("tsx [view.tsx]", "export const View = ({ text }: { text: string }) => <p title={1}>{text}</p>;"),
    fence("ts [wrong.ts]", 'import { size } from "./api.js";', "", "export const text: string = size;"),
    fence("ts", "const own: string = client;", "await Promise.resolve(shown(own));"),
    fence("ts", 'const client = "mine";', "shown(client);", "shown(1 as Shown);", "none();"),
    fence("ts", 'import { failureOf } from "@grest-ts/websocket";', "failureOf(1).reason;"),
    fence("ts [api.ts]", 'export const size: string = "1";'),
  ].join("");
  const page: Page = {
    ...pageOf("docs/sample.md", markdown),
    context: {
      path: "test/docs/context/sample.ts",
      code: [
        "export declare const client: number;",
        "export declare function shown(value: unknown): void;",
        "export type Shown = number;",
        "const broken: string = 1;",
        'export { failureOf } from "@grest-ts/websocket";',
      ].join("\n"),
    },
  };
  /** Where a line of the page is that begins with this. */
  const placeOf = (code: string) =>
    `docs/sample.md:${markdown.split("\n").findIndex((line) => line.includes(code)) + 1}`;
  let workspace: Workspace;
  let problems: TypeProblem[];
  const results = new Map<string, ProgramResult>();

  beforeAll(async () => {
    requireBuild();
    workspace = await writeWorkspace([page]);
    problems = typeCheck(workspace);
    const hanging = workspace.programs.filter(({ block }) => block.path === "hangs.ts");
    const others = workspace.programs.filter((program) => !hanging.includes(program));
    for (const [place, result] of runPrograms(others, 2)) results.set(place, await result);
    for (const program of hanging) results.set(program.place, await runProgram(program, 1_500));
  }, 120_000);

  afterAll(() => workspace?.remove());

  it("reports what does not compile with the line of its document, each edition on its own", () => {
    expect(problems).toEqual(
      [
        `${placeOf("title={1}")}: Type 'number' is not assignable to type 'string'.`,
        `${placeOf("text: string = size")}: Type 'number' is not assignable to type 'string'.`,
        "test/docs/context/sample.ts:4: Type 'number' is not assignable to type 'string'.",
        `${placeOf("own: string")}: Type 'number' is not assignable to type 'string'.`,
        `${placeOf("none()")}: Cannot find name 'none'.`,
        `${placeOf("failureOf(1)")}: Object is possibly 'undefined'.`,
      ].map((text) => ({ page: "sample", text })),
    );
  });

  it("says of each program whether it ended well", () => {
    const byFile = Object.fromEntries(workspace.programs.map(({ block, place }) => [block.path, results.get(place)]));
    const failed = (output: string) => ({
      code: 1,
      printed: expect.any(String),
      output: expect.stringContaining(output),
    });
    expect(byFile).toEqual({
      "fails.ts": failed("Error: 1"),
      "ends.ts": { code: 0, printed: "", output: "" },
      "endsToo.ts": { code: 0, printed: "", output: "" },
      "asks.ts": { code: 0, printed: "hello\n", output: "hello\n" },
      "asksToo.ts": { ...failed("Its server: ready"), code: 3, printed: "hello\n" },
      "hangs.ts": { ...failed("Killed: it ran for longer than 1.5 s"), code: null },
      "b.test.ts": failed("expected 1 to be 2"),
      "scope.ts": failed("No locator scope is active"),
      "scope.test.ts": failed("No locator scope is active"),
      ...(hasOthers && { "others.ts": { ...failed(""), code: 0, printed: "19 function function\ndist/index.js\n" } }),
    });
  });
});
