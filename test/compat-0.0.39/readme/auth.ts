// README, "Defining Middleware".
import { GGContextKey } from "@grest-ts/context";
import { IsObject, IsString, NOT_AUTHORIZED } from "@grest-ts/schema";
import type { GGWebSocketHandshakeContext, GGWebSocketMiddleware } from "@grest-ts/websocket";

async function validateToken(token: string | undefined): Promise<{ id: string } | undefined> {
  return token?.startsWith("token of ") ? { id: token.slice("token of ".length) } : undefined;
}

export const IsUserAuth = IsObject({
  userId: IsString,
  token: IsString,
});
export type UserAuth = typeof IsUserAuth.infer;

export const GG_USER_AUTH = new GGContextKey<UserAuth>("user_auth", IsUserAuth);

export const AuthMiddleware: GGWebSocketMiddleware = {
  // Client-side: add auth headers to the handshake
  updateHandshake(context: GGWebSocketHandshakeContext): void {
    const auth = GG_USER_AUTH.get();
    if (auth) {
      context.headers["authorization"] = `Bearer ${auth.token}`;
    }
  },

  // Server-side: parse auth headers from the handshake
  parseHandshake(context: GGWebSocketHandshakeContext): void {
    const authHeader = context.headers["authorization"];
    if (!authHeader?.startsWith("Bearer ")) {
      throw new NOT_AUTHORIZED();
    }
    GG_USER_AUTH.set({
      userId: "", // Will be resolved in process()
      token: authHeader.substring(7),
    });
  },

  // Server-side: async processing (validate token, load user, etc.)
  async process(): Promise<void> {
    const auth = GG_USER_AUTH.get();
    const user = await validateToken(auth?.token);
    if (!user || !auth) throw new NOT_AUTHORIZED();
    GG_USER_AUTH.set({ userId: user.id, token: auth.token });
  },
};
