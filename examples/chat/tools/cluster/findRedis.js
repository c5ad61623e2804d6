import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Why there is no cluster without it. */
export const NO_REDIS =
  "The nodes of a cluster need a Redis: install one (`apt-get install redis-server`, `brew install redis`), or set REDIS_URL to one that runs";

/** The Redis that is installed on this machine, or Valkey, which is the same for this purpose. */
export function findRedis() {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const paths = ["redis-server", "valkey-server"].flatMap((name) => folders.map((folder) => join(folder, name)));
  return paths.find((path) => existsSync(path));
}
