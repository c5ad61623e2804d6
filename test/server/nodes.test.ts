import { localBusOn } from "../../src/groups/localBus.js";
import { MemoryEngine } from "../../src/groups/memoryEngine.js";
import { groupSuite } from "../support/groupSuite.js";

groupSuite("nodes of one engine", async () => {
  const engine = new MemoryEngine();
  const nodes = [localBusOn(engine, "local"), localBusOn(engine, "local")];
  return { nodes, close: async () => void (await Promise.all(nodes.map((node) => node.close()))) };
});
