import { createCluster } from "redis";
import { beforeAll } from "vitest";
import { redisBus } from "../../src/redis/redisBus.js";
import { busSuite } from "../support/busSuite.js";
import { describeWithRedis, startCluster, TestRedis } from "../support/redis.js";

describeWithRedis("redisBus", () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await TestRedis.start();
  });

  busSuite("over a single Redis", async () => {
    const nodes = [1, 2, 3].map(() => redisBus({ url: redis.url }));
    return { nodes, close: async () => void (await Promise.all(nodes.map((node) => node.close()))) };
  });
});

describeWithRedis("redisBus", () => {
  let masters: TestRedis[];
  beforeAll(async () => {
    masters = await startCluster(3);
  });

  busSuite("over a cluster", async () => {
    const client = createCluster({ rootNodes: masters.map(({ url }) => ({ url })) });
    const nodes = [1, 2, 3].map(() => redisBus({ client }));
    return { nodes, close: async () => void (await Promise.all(nodes.map((node) => node.close()))) };
  });
});
