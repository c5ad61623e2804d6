import { randomBytes } from "node:crypto";
import { IsUser, type User } from "../shared/model.js";

/** The oldest log-ins are forgotten first, so that memory stays bounded. */
const TOKEN_LIMIT = 10_000;

/** Who holds which token. In memory: after a restart everybody logs in again. */
export class TokenStore {
  readonly #users = new Map<string, User>();

  /** A fresh token. There are no passwords here: whoever gives the same name is the same user. */
  issue(name: string): { token: string; user: User } {
    const user = IsUser.parse({ id: userIdOf(name), name });
    const token = randomBytes(24).toString("base64url");
    this.#users.set(token, user);
    const [oldest] = this.#users.keys();
    if (this.#users.size > TOKEN_LIMIT && oldest !== undefined) this.#users.delete(oldest);
    return { token, user };
  }

  /** Whose token it is. */
  find(token: string): User | undefined {
    return this.#users.get(token);
  }
}

/** "Ann" and "ann" are the same person. */
export function userIdOf(name: string): string {
  return name.toLowerCase();
}
