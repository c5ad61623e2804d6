// Redis CPU of variants of the publish script, pipelined 50.
import { execFileSync } from "node:child_process";
import { startRedis } from "./nodes/redis.js";
import { createClient } from "redis";
import { readFileSync } from "node:fs";
const redis = await startRedis();
const c = await createClient({ url: redis.url }).connect();
const port = new URL(redis.url).port;
const src = readFileSync("../src/redis/scripts.ts", "utf8");
const cur = src.match(/publish: script\(`\n([\s\S]*?)`\)/)[1].replaceAll("${META_TTL}", "86400000").replaceAll("${PUBLISH}", "PUBLISH");
const variants = { current: cur };
// a: cheaper pexpire of meta (skip), to see each cost
variants["no meta pexpire"] = cur.replace(/redis.call\('PEXPIRE', KEYS\[1\].*\n/, "");
variants["no pexpires"] = variants["no meta pexpire"].replace(/redis.call\('PEXPIRE', KEYS\[2\].*\n/, "");



variants["only publish"] = "redis.call('PUBLISH', ARGV[8], ARGV[1])";

for (const f of process.argv.slice(2)) variants[f] = readFileSync(f, "utf8");
const shas = {};
for (const [k, v] of Object.entries(variants)) shas[k] = await c.sendCommand(["SCRIPT", "LOAD", v]);
const body = ";m:Bench.news::" + JSON.stringify({ text: "Hello, how are you today?", channelId: "general" });
const res = {};
const N = 60000;
for (let r = 0; r < 9; r++) for (const k of Object.keys(variants)) {
  await redis.flush(); const b = await redis.cpu();
  execFileSync("redis-benchmark", ["-p", port, "-P", "50", "-c", "1", "-n", String(N), "-q", "EVALSHA", shas[k], "2", "gg:{Bench/kept}:m", "gg:{Bench/kept}:s", body, "abcdefghijklmnop.12345", "", "200", "300000", "abcdefghijklmnop.1", "0", "gg:{Bench/kept}", "86700000"], { stdio: "ignore" });
  (res[k] ??= []).push(((await redis.cpu()) - b) / N);
}
for (const [k, v] of Object.entries(res)) console.log(k.padEnd(28), v.sort((a, b) => a - b).map((x) => x.toFixed(2)).join(" "));
c.destroy(); await redis.stop();
