import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Balancer } from "./Balancer.js";
import { Child } from "./Child.js";
import { ServerNode } from "./ServerNode.js";

const NAMES = ["1", "2", "3"];

/**
 * Runs three servers, a balancer before them, and a Redis behind them unless REDIS_URL names one; until Ctrl-C.
 *
 * @param {string} server the path of its program
 */
export async function runCluster(server) {
  /** @type {ServerNode[]} */
  const nodes = [];
  const balancer = new Balancer(() => nodes.flatMap(({ port }) => port ?? []));
  const input = createInterface(process.stdin);
  /** @type {Child | undefined} */
  let redis;
  let isEnding = false;

  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, end);
  process.once("disconnect", end);
  try {
    const port = await listen();
    const redisUrl = process.env.REDIS_URL || (await startRedis());
    nodes.push(...NAMES.map((name) => new ServerNode(name, server, redisUrl)));
    await Promise.all(nodes.map(start));
    console.log(welcome(`http://localhost:${port}`, nodes));
    input.on("line", (line) => killOrStart(line.trim()));
  } catch (error) {
    if (!isEnding) console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
    await end();
  }

  async function listen() {
    const port = process.env.PORT || "3000";
    try {
      return await balancer.listen(Number(port));
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EADDRINUSE") throw error;
      throw new Error(`Port ${port} is taken. Choose another: PORT=3001 npm run start:cluster`);
    }
  }

  async function startRedis() {
    redis = new Child("Redis", fileURLToPath(new URL("redis.js", import.meta.url)));
    redis.ended.then(() => {
      if (isEnding) return;
      console.error("Redis has ended, and with it what the chat remembers");
      process.exitCode = 1;
      end();
    });
    const { url, pid } = await redis.ready();
    console.log(`Redis is at ${url}, with pid ${pid}\n`);
    return url;
  }

  /** @param {ServerNode} node */
  function start(node) {
    const { name } = node;
    return node.start((pid) => {
      if (!isEnding) console.log(`node ${name} with pid ${pid} has ended; ${name} and Enter start it again`);
    });
  }

  /** @param {string} name */
  async function killOrStart(name) {
    const node = nodes.find((node) => node.name === name);
    if (node?.isRunning) return node.kill();
    if (!node) return;
    try {
      await start(node);
      console.log(`node ${name} runs again, with pid ${node.pid}`);
    } catch (error) {
      console.error(error instanceof Error ? error.message : error);
    }
  }

  /** Once. */
  async function end() {
    if (isEnding) return;
    isEnding = true;
    process.off("disconnect", end);
    input.close();
    balancer.close();
    await Promise.all(nodes.map((node) => node.end()));
    await redis?.end();
  }
}

/**
 * @param {string} address
 * @param {readonly ServerNode[]} nodes
 */
function welcome(address, nodes) {
  return `The chat is open at ${address}, served by ${nodes.length} processes

${nodes.map(({ name, pid }) => `  node ${name}   pid ${pid}`).join("\n")}

Type the number of a node and Enter to kill it while people talk, and once more to start it again.
Ctrl-C ends all.`;
}
