import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requireBuild } from "../browser/support/bundle.js";
import { haveEcosystem } from "../support/ecosystem.js";
import { needsEcosystem, readPages } from "./pages.js";
import { type ProgramResult, runPrograms } from "./runProgram.js";
import { type TypeProblem, typeCheck } from "./typeCheck.js";
import { type Workspace, writeWorkspace } from "./workspace.js";

/** The code of README.md and of docs/: `codeBlocks.ts` says how it is written. */

const sources = !!process.env.DOCS_SOURCES;
const all = readPages();
const others = all.filter(needsEcosystem);
const skipped = others.length > 0 && !haveEcosystem() ? new Set(others) : new Set();
const pages = all.filter((page) => !skipped.has(page));

describe("the code of the documents", { timeout: 120_000 }, () => {
  let workspace: Workspace;
  let problems: TypeProblem[];
  let results: Map<string, Promise<ProgramResult>> | undefined;

  beforeAll(async () => {
    if (!sources) requireBuild();
    workspace = await writeWorkspace(pages, sources);
    problems = typeCheck(workspace, sources);
    results = runPrograms(workspace.programs, 2);
  }, 120_000);

  afterAll(async () => {
    await Promise.allSettled(results?.values() ?? []);
    await workspace?.remove();
  }, 120_000);

  it.each(pages)("follows the rules and compiles in $path", ({ name, path, code }) => {
    const found = problems.filter(({ page }) => page === name).map(({ text }) => text);
    expect([...code.problems.map((problem) => `${path}:${problem}`), ...found]).toEqual([]);
  });

  const running = pages.flatMap(({ path, code }) =>
    code.editions.flatMap((edition) =>
      edition
        .filter(({ runs }) => runs)
        .map((block) => ({
          place: `${path}:${block.line}`,
          file: block.path,
          prints: block.prints,
        })),
    ),
  );
  it.each(running)("runs $file of $place, which ends by itself", async ({ place, prints }) => {
    const result = await results?.get(place);
    expect(result, result?.output).toMatchObject({ code: 0, ...(prints !== undefined && { printed: prints }) });
  });
});
