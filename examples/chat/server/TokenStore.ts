import { randomBytes } from "node:crypto";
import { IsUser, type User } from "../shared/model.js";

/** The oldest log-ins are dropped first, so that memory stays bounded. */
const TOKEN_LIMIT = 10_000;

/** The users by token, in memory only: after a restart all users log in again. */
export class TokenStore {
  readonly #users = new Map<string, User>();

  /** A new token. There are no passwords: the same name is the same user. */
  issue(name: string): { token: string; user: User } {
    const user = IsUser.parse({ id: userIdOf(name), name });
    const token = randomBytes(24).toString("base64url");
    this.#users.set(token, user);
    const [oldest] = this.#users.keys();
    if (this.#users.size > TOKEN_LIMIT && oldest !== undefined) this.#users.delete(oldest);
    return { token, user };
  }

  /** The user of a token. */
  find(token: string): User | undefined {
    return this.#users.get(token);
  }
}

/** "Ann" and "ann" are the same person. */
export function userIdOf(name: string): string {
  return name.toLowerCase();
}
