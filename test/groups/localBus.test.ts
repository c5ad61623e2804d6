import { localBusOn } from "../../src/groups/localBus.js";
import { MemoryEngine } from "../../src/groups/memoryEngine.js";
import { busSuite } from "../support/busSuite.js";

busSuite("nodes of one engine", async () => {
  const engine = new MemoryEngine();
  const nodes = [1, 2, 3].map(() => localBusOn(engine, "local"));
  return { nodes, close: async () => void (await Promise.all(nodes.map((node) => node.close()))) };
});
