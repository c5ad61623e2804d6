/**
 * Does the steps one after the other, and prints which one is under way, how long it takes, and when it is done. In a terminal
 * the seconds are counted.
 *
 * @param {readonly (readonly [label: string, run: () => unknown])[]} steps
 */
export async function runSteps(steps) {
  for (const [i, [label, run]] of steps.entries()) await runStep(`  ${i + 1} of ${steps.length}  ${label}`, run);
}

/**
 * @param {string} label
 * @param {() => unknown} run
 */
async function runStep(label, run) {
  const { stdout } = process;
  const begin = performance.now();
  const elapsed = (digits = 0) => `${((performance.now() - begin) / 1_000).toFixed(digits)} s`;
  stdout.write(`${label} …`);
  const counting = stdout.isTTY ? setInterval(() => stdout.write(`\r${label} … ${elapsed()}`), 1_000) : undefined;
  try {
    await run();
    stdout.write(`${stdout.isTTY ? `\r${label} …` : ""} ${elapsed(1)}\n`);
  } catch (error) {
    stdout.write(" failed\n");
    throw error;
  } finally {
    clearInterval(counting);
  }
}
