/** No callback can hold up the end of the process for longer than this. */
const LIMIT_MS = 15_000;

/** Runs all callbacks at once and waits for them, within bounds. One that fails is logged and stops nothing. */
export async function runTeardownCallbacks(callbacks: readonly (() => unknown)[]): Promise<void> {
  const running = callbacks.map(async (callback) => {
    try {
      await callback();
    } catch (error) {
      console.error("GGHttpServer: a teardown callback failed", error);
    }
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      console.error(`GGHttpServer: teardown callbacks took longer than ${LIMIT_MS} ms; going on without them`);
      resolve();
    }, LIMIT_MS);
  });
  await Promise.race([Promise.all(running), limit]);
  clearTimeout(timer);
}
