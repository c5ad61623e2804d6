import { GGContextKey } from "@grest-ts/context";
import { GGLocatorKey } from "@grest-ts/locator";
import { IsString } from "@grest-ts/schema";
import { IsUser, type User } from "../model.js";

/** Server: who sent this request, or opened this connection. */
export const GG_AUTH_USER = new GGContextKey<User>("authUser", IsUser);

/** Client: the token of whoever is logged in. */
export const GG_AUTH_TOKEN = new GGContextKey<string>("authToken", IsString);

/** Server: tells whose token it is. The APIs only know the name of this service, so clients carry no server code. */
export const TOKEN_VERIFIER = new GGLocatorKey<(token: string) => User | undefined>("TokenVerifier");
