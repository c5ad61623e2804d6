import { createHash, randomBytes } from "node:crypto";
import type { LogInResponse } from "../../shared/AuthApi.js";
import { IsUser } from "../../shared/model.js";

/** A new log-in. */
export function newLogIn(name: string): LogInResponse {
  return { token: randomBytes(24).toString("base64url"), user: IsUser.parse({ id: userIdOf(name), name }) };
}

/** Names a log-in. It is not secret: the token cannot be found from it. */
export function logInIdOf(token: string): string {
  return createHash("sha256").update(token).digest("base64url");
}

/** "Ann" and "ann" are the same person. */
export function userIdOf(name: string): string {
  return name.toLowerCase();
}
