import { GGContextKey } from "@grest-ts/context";
import { GGLocatorKey } from "@grest-ts/locator";
import { IsString } from "@grest-ts/schema";
import { IsUser, type User } from "../model.js";

/** Server: the user who sent this request or opened this connection. */
export const GG_AUTH_USER = new GGContextKey<User>("authUser", IsUser);

/** Client: the token of the logged-in user. */
export const GG_AUTH_TOKEN = new GGContextKey<string>("authToken", IsString);

/** Server: finds the user of a token. The APIs refer only to this key, so clients contain no server code. */
export const TOKEN_VERIFIER = new GGLocatorKey<(token: string) => User | undefined>("TokenVerifier");
