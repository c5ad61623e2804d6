import { GGContextKey } from "@grest-ts/context";
import { GGLocatorKey } from "@grest-ts/locator";
import { IsObject, IsString } from "@grest-ts/schema";
import { IsUser } from "../model.js";

/** A user who is logged in; `id` names the log-in and is not its token. */
export const IsLogIn = IsObject({ id: IsString, user: IsUser });
export type LogIn = typeof IsLogIn.infer;

/** Server: the log-in that this request or connection belongs to. */
export const GG_AUTH_LOG_IN = new GGContextKey<LogIn>("authLogIn", IsLogIn);

/** The token of the user who is logged in: on a client the one to send, on the server the one that was sent. */
export const GG_AUTH_TOKEN = new GGContextKey<string>("authToken", IsString);

/** Server: finds the log-in of a token. The APIs refer only to this key, so clients contain no server code. */
export const TOKEN_VERIFIER = new GGLocatorKey<(token: string) => Promise<LogIn | undefined>>("TokenVerifier");
