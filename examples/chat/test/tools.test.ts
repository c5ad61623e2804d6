import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { librarySteps } from "../tools/library.js";
import { Program } from "./support/Program.js";

/** What `npm start` prints while it builds. */

const STEPS = JSON.stringify(new URL("../tools/steps.js", import.meta.url).href);

/** A program that does two steps. */
function stepsProgram(first: string, second: string): Program {
  const folder = mkdtempSync(join(tmpdir(), "chat-steps-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "steps.mjs");
  const steps = `[["first", ${first}], ["second", ${second}]]`;
  writeFileSync(path, `import { runSteps } from ${STEPS};\nawait runSteps(${steps});\nconsole.log("after");`);
  return new Program(path).endWithTest();
}

it("says which step is under way before it is done, and how long it took", async () => {
  // It waits for the message that comes when its beginning was seen.
  const program = stepsProgram(`() => new Promise((resolve) => process.once("message", resolve))`, "() => {}");
  await program.printed(/^ {2}1 of 2 {2}first …$/);
  program.process.send("go on");
  await program.printed(/after\n$/);
  expect(program.output).toMatch(/^ {2}1 of 2 {2}first … \d+\.\d s\n {2}2 of 2 {2}second … \d\.\d s\nafter\n$/);
});

it("ends at a step that fails, and says which", async () => {
  const program = stepsProgram("() => {}", `() => { throw new Error("no space left"); }`);
  expect(await program.ended).toBe(1);
  expect(program.output).toMatch(/^ {2}2 of 2 {2}second … failed\n[\s\S]*no space left/m);
  expect(program.output).not.toContain("after");
});

it("builds the library by the commands of its own build", () => {
  const commands = librarySteps().map(([label]) => label);
  expect(commands.length).toBeGreaterThan(1);
  expect(commands.join(" ")).toContain("tsup");
  for (const command of commands) expect(command).not.toMatch(/&&|^\s|\s$/);
});
