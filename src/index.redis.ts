/**
 * A bus over Redis, for groups of several processes. Needs the package `redis`.
 *
 * @module redis
 */
export * from "./api/bus.js";
export type { GGRedisClient, GGRedisCluster } from "./redis/client.js";
export type { GGRedisBusOptions, GGRedisQueueOptions } from "./redis/options.js";
export { redisBus } from "./redis/redisBus.js";
