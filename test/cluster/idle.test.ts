import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, it, onTestFinished } from "vitest";
import { fixture } from "../support/paths.js";

it("does not keep a primary process and its worker alive, nor breaks when they part", async () => {
  const program = spawn(process.execPath, ["--import", "tsx", fixture("cluster/idle.ts")], { stdio: "pipe" });
  onTestFinished(() => void program.kill("SIGKILL"));
  const output: string[] = [];
  for (const stream of [program.stdout, program.stderr]) stream.on("data", (data) => output.push(String(data)));
  const [code] = await once(program, "close");
  expect({ code, output: output.join("") }).toEqual({ code: 0, output: "" });
}, 20_000);
