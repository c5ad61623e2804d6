import { createHash, randomBytes } from "node:crypto";
import type { LogInResponse } from "../../shared/AuthApi.js";
import { IsUser } from "../../shared/model.js";

/** A new log-in. What it renews is enough to find it again, and nothing else is. */
export function newLogIn(name: string, earlierToken?: string): LogInResponse {
  const user = IsUser.parse({ id: userIdOf(name), name });
  const secret =
    earlierToken === undefined
      ? randomBytes(24)
      : createHash("sha256").update(`renewed ${user.id}\n${earlierToken}`).digest().subarray(0, 24);
  return { token: secret.toString("base64url"), user };
}

/** Names a log-in. It is not secret: the token cannot be found from it. */
export function logInIdOf(token: string): string {
  return createHash("sha256").update(token).digest("base64url");
}

/** "Ann" and "ann" are the same person. */
export function userIdOf(name: string): string {
  return name.toLowerCase();
}
