import { createCluster } from "redis";
import { beforeAll } from "vitest";
import { redisBus } from "../../src/redis/redisBus.js";
import { groupSuite } from "../support/groupSuite.js";
import { describeWithRedis, startCluster, TestRedis } from "../support/redis.js";

describeWithRedis("groups", () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await TestRedis.start();
  });

  groupSuite("over a single Redis", async () => {
    const nodes = [1, 2, 3].map(() => redisBus({ url: redis.url }));
    return { nodes, close: async () => void (await Promise.all(nodes.map((node) => node.close()))) };
  });
});

describeWithRedis("groups", () => {
  let masters: TestRedis[];
  beforeAll(async () => {
    masters = await startCluster(3);
  });

  groupSuite("over a cluster", async () => {
    const client = createCluster({ rootNodes: masters.map(({ url }) => ({ url })) });
    const nodes = [1, 2].map(() => redisBus({ client }));
    return { nodes, close: async () => void (await Promise.all(nodes.map((node) => node.close()))) };
  });
});
