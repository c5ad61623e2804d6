// `npm run start:cluster`: builds if out of date, then runs three servers, the Redis that connects them, and a balancer.
import { fileURLToPath } from "node:url";
import { buildChat } from "./build.js";
import { findRedis, NO_REDIS } from "./cluster/findRedis.js";
import { runCluster } from "./cluster/runCluster.js";
import { endWithShell } from "./shell.js";

if (!process.env.REDIS_URL && !findRedis()) {
  console.error(NO_REDIS);
  process.exit(1);
}
// The tests have their own build.
const [server = fileURLToPath(new URL("../dist/server/main.js", import.meta.url))] = process.argv.slice(2);
if (process.argv.length === 2) await buildChat();
endWithShell();
await runCluster(server);
