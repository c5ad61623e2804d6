import { randomBytes } from "node:crypto";
import { GGContextKey } from "@grest-ts/context";
import { IsString, NOT_AUTHORIZED } from "@grest-ts/schema";
import type { GGWebSocketMiddleware } from "@grest-ts/websocket";

/** Who is at the other end: set once for each connection, there for all of its handlers. */
export const USER = new GGContextKey<string>("user", IsString);

const users = new Map<string, string>();

/** A token for a name. A real app asks for a password here. */
export function logIn(name: string): string {
  const token = randomBytes(24).toString("base64url");
  users.set(token, name);
  return token;
}

/** Reads the token of each handshake. What it throws refuses the connection. */
export const auth: GGWebSocketMiddleware = {
  parseHandshake({ headers }) {
    const token = String(headers.authorization ?? "").replace(/^Bearer /, "");
    const user = users.get(token);
    if (user === undefined) throw new NOT_AUTHORIZED({ displayMessage: "Log in again" });
    USER.set(user);
  },
};
