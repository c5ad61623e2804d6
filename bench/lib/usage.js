import { PerformanceObserver } from "node:perf_hooks";
import { setImmediate as turn } from "node:timers/promises";

let cpuBefore;
let pause = 0;
const note = (entries) => {
  for (const { duration } of entries) pause = Math.max(pause, duration * 1000);
};
const collections = new PerformanceObserver((list) => note(list.getEntries()));

/** What this process uses between `start` and `stop`. */
export const usageTasks = {
  start() {
    pause = 0;
    collections.observe({ type: "gc" });
    cpuBefore = process.cpuUsage();
  },
  /** CPU time, and the longest pause by a garbage collection, in µs. */
  async stop() {
    const { user, system } = process.cpuUsage(cpuBefore);
    await turn(); // only then are the latest collections recorded
    note(collections.takeRecords());
    collections.disconnect();
    return { cpu: user + system, pause };
  },
};
