import type { GGHttpServer } from "@grest-ts/http";
import { onTestFinished, vi } from "vitest";

/**
 * The package on a clock that only the test moves. It is loaded anew, since its timers share one: timers of
 * earlier tests belong to the real clock. Everything used with its schemas must come from here as well.
 */
export async function onFakeClock() {
  resetModules();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  onTestFinished(() => {
    vi.useRealTimers();
    resetModules();
  });
  const [websocket, http, schema] = await Promise.all([
    import("@grest-ts/websocket"),
    import("@grest-ts/http"),
    import("@grest-ts/schema"),
  ]);
  return {
    ...websocket,
    schema,
    /** Advances the clock by this many ms. */
    pass: (ms: number) => void vi.advanceTimersByTime(ms),
    /** Like `startHttp`. */
    async start(register: (server: GGHttpServer) => void): Promise<{ http: GGHttpServer; url: string }> {
      const server = new http.GGHttpServer({ port: 0 });
      register(server);
      await server.start();
      onTestFinished(() => {
        vi.useRealTimers();
        return server.teardown();
      });
      return { http: server, url: `ws://127.0.0.1:${server.port}` };
    },
  };
}

/** Resets all modules, and the load marks of the neighbouring packages, which refuse to be loaded twice. */
function resetModules(): void {
  vi.resetModules();
  for (const key of Object.getOwnPropertySymbols(globalThis)) {
    if (Symbol.keyFor(key)?.startsWith("grest-ts:dedup:")) Reflect.deleteProperty(globalThis, key);
  }
}
