import type { LogInResponse } from "../../shared/AuthApi.js";
import type { LogIn } from "../../shared/auth/keys.js";
import type { Message } from "../../shared/model.js";
import { logInIdOf, newLogIn } from "./logIn.js";
import { HISTORY_LIMIT, type LogIns, type Messages, type Stores } from "./stores.js";

/** The oldest log-ins are dropped first, so that memory stays bounded. */
const LOG_IN_LIMIT = 10_000;

/** Keeps all in this process: a restart forgets it. */
export function memoryStores(): Stores {
  return { logIns: new MemoryLogIns(), messages: new MemoryMessages(), close: async () => {} };
}

class MemoryLogIns implements LogIns {
  readonly #logIns = new Map<string, LogIn>();
  /** The id of each user's log-in. */
  readonly #latest = new Map<string, string>();

  async issue(name: string, earlierToken?: string) {
    const logIn = newLogIn(name, earlierToken);
    const { user } = logIn;
    const id = logInIdOf(logIn.token);
    const endedId = this.#latest.get(user.id);
    if (endedId !== undefined) this.#logIns.delete(endedId);
    this.#logIns.set(id, { id, user });
    this.#latest.set(user.id, id);
    const [oldest] = this.#logIns.values();
    if (this.#logIns.size > LOG_IN_LIMIT && oldest) {
      this.#logIns.delete(oldest.id);
      this.#latest.delete(oldest.user.id);
    }
    return { logIn, endedId: endedId === id ? undefined : endedId };
  }

  async findRenewal(name: string, earlierToken: string): Promise<LogInResponse | undefined> {
    const logIn = newLogIn(name, earlierToken);
    return this.#logIns.has(logInIdOf(logIn.token)) ? logIn : undefined;
  }

  async find(token: string): Promise<LogIn | undefined> {
    return this.#logIns.get(logInIdOf(token));
  }
}

class MemoryMessages implements Messages {
  readonly #rooms = new Map<string, Message[]>();

  async add(message: Message): Promise<void> {
    const messages = this.#rooms.get(message.channelId) ?? [];
    messages.push(message);
    if (messages.length > HISTORY_LIMIT) messages.shift();
    this.#rooms.set(message.channelId, messages);
  }

  async latest(roomId: string): Promise<Message[]> {
    return [...(this.#rooms.get(roomId) ?? [])];
  }
}
