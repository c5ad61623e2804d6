import { spawnSync } from "node:child_process";

/** A terminal in front of a command: a process that passes on keys and output, and ends as the command does. */
type Pty = (command: readonly string[]) => readonly string[];

/** The channel of the test is not for the program in the terminal. */
const PYTHON = `import os, pty, sys
os.environ.pop("NODE_CHANNEL_FD", None)
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])) & 255)`;

/** Absent where there is neither Python nor `script`, in which case the tests that need a terminal are skipped, except in CI. */
export function findPty(): Pty | undefined {
  if (succeeds("python3", ["-c", "import pty, os; os.waitstatus_to_exitcode"]))
    return (command) => ["python3", "-c", PYTHON, ...command];
  if (succeeds("script", ["-qefc", "true", "/dev/null"]))
    return (command) => [
      "script",
      "-qefc",
      ["unset NODE_CHANNEL_FD; exec", ...command.map(quoted)].join(" "),
      "/dev/null",
    ];
  const message = "There is neither python3 nor script (util-linux), and tests of the terminal need one of them";
  if (process.env.CI === "true") throw new Error(message);
  console.warn(`${message}; they are skipped.`);
  return undefined;
}

const succeeds = (command: string, args: readonly string[]) =>
  spawnSync(command, [...args], { stdio: "ignore" }).status === 0;

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
