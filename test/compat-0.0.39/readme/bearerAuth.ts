// README, "Sharing middleware with HTTP APIs (one class, two transports)".
import { GGContextKey } from "@grest-ts/context";
import { type GGHttpRequest, type GGHttpTransportMiddleware, GGRpc, httpSchema } from "@grest-ts/http";
import { GGContractClass, IsObject, IsString, NOT_AUTHORIZED, SERVER_ERROR } from "@grest-ts/schema";
import {
  defineSocketContract,
  type GGWebSocketHandshakeContext,
  type GGWebSocketMiddleware,
  webSocketSchema,
} from "@grest-ts/websocket";

const whoAmI = { success: IsString, errors: [NOT_AUTHORIZED, SERVER_ERROR] };
const ItemContract = new GGContractClass("ItemApi", { whoAmI });
const ChatContract = defineSocketContract("ChatApi", { clientToServer: { whoAmI }, serverToClient: {} });

function validateTokenSync(token: string): AuthUser | undefined {
  return token === "ann" ? { id: "ann", role: "admin" } : undefined;
}

export const IsAuthUser = IsObject({ id: IsString, role: IsString });
export type AuthUser = typeof IsAuthUser.infer;
export const GG_AUTH_USER = new GGContextKey<AuthUser>("authUser", IsAuthUser);

/**
 * Implements both middleware interfaces. Use the same instance on HTTP and
 * WebSocket schemas — single source of truth for auth wiring.
 */
export class BearerAuthMiddleware implements GGHttpTransportMiddleware, GGWebSocketMiddleware {
  constructor(
    private opts: {
      /** Client-side: return the current token. Called on every HTTP request AND on every WS handshake. */
      getToken: () => string | undefined;
      /** Server-side: verify the token and return the user. Throw/return undefined to reject. */
      verify: (token: string) => AuthUser | undefined;
    },
  ) {}

  // ---- Client-side: attach the bearer header ----
  updateRequest = (req: GGHttpRequest) => this.setHeader(req.headers as Record<string, string>);
  updateHandshake = (ctx: GGWebSocketHandshakeContext) => this.setHeader(ctx.headers);

  // ---- Server-side: extract + verify, populate context ----
  parseRequest = (req: GGHttpRequest) => this.extract(req.headers as Record<string, string | string[]>);
  parseHandshake = (ctx: GGWebSocketHandshakeContext) => this.extract(ctx.headers);

  private setHeader(headers: Record<string, string>) {
    const t = this.opts.getToken();
    if (t) headers["authorization"] = "Bearer " + t;
  }

  private extract(headers: Record<string, string | string[]>) {
    const header = headers["authorization"];
    if (typeof header !== "string" || !header.startsWith("Bearer ")) {
      throw new NOT_AUTHORIZED({ displayMessage: "Missing bearer token" });
    }
    const user = this.opts.verify(header.substring(7));
    if (!user) throw new NOT_AUTHORIZED({ displayMessage: "Invalid token" });
    GG_AUTH_USER.set(user);
  }
}

// One instance, used on both kinds of schema:
const auth = new BearerAuthMiddleware({
  getToken: () => GG_AUTH_USER.get()?.id,
  verify: (token) => validateTokenSync(token),
});

export const ItemApi = httpSchema(ItemContract)
  .pathPrefix("api/items")
  .use(auth) // acts as GGHttpTransportMiddleware
  .routes({ whoAmI: GGRpc.GET("who") });

export const ChatApi = webSocketSchema(ChatContract)
  .path("ws/chat")
  .use(auth) // acts as GGWebSocketMiddleware
  .done();
