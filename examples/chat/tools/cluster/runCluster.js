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
  /** Those that are restarted. @type {Set<ServerNode>} */
  const rolling = new Set();
  let isEnding = false;

  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, end);
  process.once("disconnect", end);
  try {
    const port = await listen();
    const redisUrl = process.env.REDIS_URL || (await startRedis());
    nodes.push(...NAMES.map((name) => new ServerNode(name, server, redisUrl)));
    console.log(`Starting ${nodes.length} servers …`);
    await Promise.all(nodes.map(start));
    console.log(welcome(`http://localhost:${port}`, nodes));
    input.on("line", (line) => obey(line.trim()));
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
    console.log("Starting Redis …");
    redis = new Child("Redis", fileURLToPath(new URL("redis.js", import.meta.url)));
    redis.ended.then(() => {
      if (isEnding) return;
      console.error("Redis has ended, and with it what the chat remembers");
      process.exitCode = 1;
      end();
    });
    const { url, pid } = await redis.ready();
    console.log(`Redis is at ${url}, with pid ${pid}`);
    return url;
  }

  /** @param {ServerNode} node */
  function start(node) {
    const { name } = node;
    return node.start((pid) => {
      if (!isEnding && !rolling.has(node)) {
        console.log(`node ${name} with pid ${pid} has ended; ${name} and Enter start it again`);
      }
    });
  }

  /** @param {string} command */
  async function obey(command) {
    const [verb, name] = command.split(/\s+/);
    const node = nodes.find((node) => node.name === (name ?? verb));
    try {
      if (verb === "roll") await roll(name === undefined ? nodes : nodes.filter((one) => one === node));
      else if (node?.isRunning) node.kill();
      else if (node) await startAgain(node);
    } catch (error) {
      console.error(error instanceof Error ? error.message : error);
    }
  }

  /**
   * Restarts nodes, one after the other: each one's clients move to the others first.
   *
   * @param {readonly ServerNode[]} some
   */
  async function roll(some) {
    for (const node of some) {
      if (isEnding || !node.isRunning || rolling.has(node)) continue;
      rolling.add(node);
      console.log(`node ${node.name} is restarted`);
      await node.end();
      rolling.delete(node);
      if (!isEnding) await startAgain(node);
    }
  }

  /** @param {ServerNode} node */
  async function startAgain(node) {
    await start(node);
    console.log(`node ${node.name} runs again, with pid ${node.pid}`);
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
  return `
The chat is open at ${address}, served by ${nodes.length} processes

${nodes.map(({ name, pid }) => `  node ${name}   pid ${pid}`).join("\n")}

While people talk, type and press Enter:

  roll     restart all nodes, one after the other: clients move to another one, and no message is lost
  roll 2   restart only node 2
  2        kill node 2, as when its machine is lost; once more starts it again

Ctrl-C ends all.`;
}
