import { execFile } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { root } from "../support/paths.js";

const run = promisify(execFile);

interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

it("fails the tests that vitest runs, and those alone", async () => {
  const vitest = join(dirname(fileURLToPath(import.meta.resolve("vitest/package.json"))), "vitest.mjs");
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("VITEST")));
  const { stdout } = await run(
    process.execPath,
    [vitest, "run", "--config", "test/fixtures/testkit/vitest.config.ts", "--reporter=json"],
    { cwd: root, env },
  ).catch((failed: { stdout: string }) => failed);
  const { testResults } = JSON.parse(stdout.slice(stdout.indexOf("{"))) as Report;
  const results = testResults.flatMap(({ assertionResults }) => assertionResults);
  const reported = results.map(({ fullName, status, failureMessages }) => [
    fullName,
    status,
    ...failureMessages.map((message) => message.split("\n")[0]),
  ]);
  expect(reported).toMatchInlineSnapshot(`
    [
      [
        "a connection of the test fails it: unexpected push",
        "failed",
        "GGSocketTestError: Kit.said: a push that no test expected",
      ],
      [
        "a connection of the test fails it: call that was not awaited",
        "failed",
        "GGSocketTestError: Kit.whoAmI: never awaited, so nothing was sent or checked",
      ],
      [
        "a connection of the test fails it: what it waited for when its time was over",
        "failed",
        "Error: STACK_TRACE_ERROR",
        "GGSocketTestError: Kit: the connection was ended while calling Kit.whoAmI",
      ],
      [
        "a connection of the test fails it: an expectation",
        "failed",
        "GGSocketTestError: Kit.say: the result is not as expected",
      ],
      [
        "a connection of the test passes it, and counts as an assertion",
        "passed",
      ],
      [
        "a connection of several tests passes: before",
        "passed",
      ],
      [
        "a connection of several tests fails: unexpected push",
        "failed",
        "GGSocketTestError: Kit.said: a push that no test expected",
      ],
      [
        "a connection of several tests passes: after",
        "passed",
      ],
      [
        "a connection of several tests fails: a push and a request without any call",
        "failed",
        "GGSocketTestError: Kit: the server asked Kit.question, and no mock answers it",
      ],
      [
        "a connection of several tests passes: the end",
        "passed",
      ],
      [
        "concurrent tests fails: without the test's context",
        "failed",
        "GGSocketTestError: Kit: vitest does not report which concurrent test is running. Pass it: test.concurrent("…", ({ onTestFinished }) => … callOn(Kit, { onTestFinished }))",
      ],
      [
        "concurrent tests fails: with the test's context",
        "failed",
        "GGSocketTestError: Kit.said: a push that no test expected",
      ],
    ]
  `);
}, 60_000);
