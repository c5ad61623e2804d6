import { execFile } from "node:child_process";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packedConsumer } from "../support/packed.js";
import { fixture, root } from "../support/paths.js";

const run = promisify(execFile);

let folder: string;
beforeAll(async () => {
  folder = await packedConsumer();
}, 120_000);
afterAll(() => rm(folder, { recursive: true }));

describe("the packed package, installed with its packed neighbours", () => {
  it("serves, calls, and lets the program end", async () => {
    await cp(fixture("package/serveAndCall.mjs"), join(folder, "serveAndCall.mjs"));
    const { stdout, stderr } = await run(process.execPath, ["serveAndCall.mjs"], { cwd: folder, timeout: 20_000 });
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toMatchObject({ greeting: "Hello Ann, here", invalid: "VALIDATION_ERROR" });
  }, 30_000);

  it("has a test kit that the framework's runner finds without an import", async () => {
    const program = `
      import { loadTestkit } from "@grest-ts/testkit";
      import { defineSocketContract, webSocketSchema } from "@grest-ts/websocket";
      const contract = defineSocketContract("Found", { clientToServer: {}, serverToClient: {} });
      const Api = webSocketSchema(contract).path("ws").done();
      const isTestable = () => typeof Api[Symbol.for("gg:callOnFactory")] === "function";
      const before = isTestable();
      const isFound = await loadTestkit("node_modules/@grest-ts/websocket");
      console.log(JSON.stringify([before, isFound, isTestable()]));`;
    const { stdout } = await run(process.execPath, ["--input-type=module", "-e", program], { cwd: folder });
    expect(JSON.parse(stdout)).toEqual([false, true, true]);
  });

  const strict = { strict: true, noUncheckedIndexedAccess: true };
  const nodeNext = { module: "NodeNext", moduleResolution: "NodeNext" };
  const bundler = { module: "ESNext", moduleResolution: "Bundler" };
  const files = ["consumer", "results", "metrics", "former", "testkit"];

  it.each([
    ["a strict program that checks declarations", files, { ...strict, ...nodeNext, exactOptionalPropertyTypes: true }],
    ["a strict program under a bundler that checks declarations", files, { ...strict, ...bundler }],
    ["a strict program that skips declarations", files, { ...strict, ...nodeNext, skipLibCheck: true }],
    ["a program that is not strict, as the framework itself", ["results", "metrics", "former"], { ...bundler }],
  ])(
    "has types that fit %s",
    async (name, programs, compilerOptions) => {
      const project = join(folder, name.replaceAll(" ", "-"));
      await mkdir(project);
      await writeFile(join(project, "package.json"), JSON.stringify({ type: "module" }));
      for (const program of programs) {
        await writeFile(join(project, `${program}.ts`), await readFile(fixture(`package/${program}.txt`)));
      }
      const options = { target: "ES2022", lib: ["ES2022", "DOM"], types: ["node"], noEmit: true, ...compilerOptions };
      await writeFile(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions: options }));
      const tsc = join(root, "node_modules/typescript/bin/tsc");
      const { stdout } = await run(process.execPath, [tsc, "-p", project]).catch(
        (failed: { stdout: string }) => failed,
      );
      expect(stdout).toBe("");
    },
    120_000,
  );
});
