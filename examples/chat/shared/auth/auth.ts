import { BearerAuthMiddleware } from "./BearerAuthMiddleware.js";
import { GG_AUTH_TOKEN, TOKEN_VERIFIER } from "./keys.js";

/** The one instance that every API of the chat uses, on both ends. */
export const auth = new BearerAuthMiddleware({
  getToken: () => GG_AUTH_TOKEN.get(),
  verify: (token) => TOKEN_VERIFIER.get()(token),
});
