import type { GGBus } from "@grest-ts/websocket";
import type { RedisClientType } from "redis";
import type { LogInResponse } from "../../shared/AuthApi.js";
import type { LogIn } from "../../shared/auth/keys.js";
import { IsMessage, IsUser, type Message } from "../../shared/model.js";
import { logInIdOf, newLogIn } from "./logIn.js";
import { HISTORY_LIMIT, type LogIns, type Messages, type Stores } from "./stores.js";

/** How long log-ins last, and the messages of a room in which nothing is said, in seconds. */
const KEPT_FOR_S = 7 * 24 * 3600;

/** How often a lost connection is tried again, in ms. */
const RETRY_MS = 500;

/**
 * Keeps all in Redis, for several nodes, which it connects too.
 *
 * @throws Error when there is no Redis at that URL. One that goes away later is waited for.
 */
export async function openRedis(url: string): Promise<Stores> {
  // Loaded here, so that a chat without Redis does not load them.
  const [{ createClient }, { redisBus }] = await Promise.all([import("redis"), import("@grest-ts/websocket/redis")]);
  let wasConnected = false;
  const client: RedisClientType = createClient({
    url,
    RESP: 3,
    // While Redis is away a request fails at once.
    disableOfflineQueue: true,
    socket: { reconnectStrategy: (_, cause) => (wasConnected ? RETRY_MS : cause) },
  });
  // Each request that fails says so itself.
  client.on("error", () => {});
  await client.connect().catch((cause: unknown) => {
    throw new Error(`There is no Redis at REDIS_URL: ${cause instanceof Error ? cause.message : cause}`, { cause });
  });
  wasConnected = true;
  const bus = redisBus({ url });
  await whenUp(bus);
  return {
    logIns: new RedisLogIns(client),
    messages: new RedisMessages(client),
    bus,
    async close() {
      await bus.close();
      client.destroy();
    },
  };
}

function whenUp(bus: GGBus): Promise<void> {
  return new Promise((resolve) => {
    if (bus.health === "up") return resolve();
    const stop = bus.onHealth((health) => {
      if (health === "down") return;
      stop();
      resolve();
    });
  });
}

class RedisLogIns implements LogIns {
  constructor(private readonly client: RedisClientType) {}

  async issue(name: string, earlierToken?: string) {
    const logIn = newLogIn(name, earlierToken);
    const id = logInIdOf(logIn.token);
    const expiration = { type: "EX", value: KEPT_FOR_S } as const;
    await this.client.set(keyOf(id), JSON.stringify(logIn.user), { expiration });
    const endedId = await this.client.set(`chat:log-in-of:${logIn.user.id}`, id, { expiration, GET: true });
    if (endedId === null || endedId === id) return { logIn, endedId: undefined };
    await this.client.del(keyOf(endedId));
    return { logIn, endedId };
  }

  async findRenewal(name: string, earlierToken: string): Promise<LogInResponse | undefined> {
    const logIn = newLogIn(name, earlierToken);
    return (await this.client.exists(keyOf(logInIdOf(logIn.token)))) > 0 ? logIn : undefined;
  }

  async find(token: string): Promise<LogIn | undefined> {
    const id = logInIdOf(token);
    const user = await this.client.get(keyOf(id));
    return user === null ? undefined : { id, user: IsUser.parse(JSON.parse(user)) };
  }
}

class RedisMessages implements Messages {
  constructor(private readonly client: RedisClientType) {}

  async add(message: Message): Promise<void> {
    const key = `chat:messages:${message.channelId}`;
    await this.client
      .multi()
      .rPush(key, JSON.stringify(message))
      .lTrim(key, -HISTORY_LIMIT, -1)
      .expire(key, KEPT_FOR_S)
      .exec();
  }

  async latest(roomId: string): Promise<Message[]> {
    const kept = await this.client.lRange(`chat:messages:${roomId}`, 0, -1);
    return kept.map((text) => IsMessage.parse(JSON.parse(text)));
  }
}

const keyOf = (logInId: string) => `chat:log-in:${logInId}`;
