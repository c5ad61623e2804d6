import { GG_HTTP_SERVER, GGHttp, GGHttpServer } from "@grest-ts/http";
import { GGLocatorScope } from "@grest-ts/locator";
import { GG_METRICS, GGMetricsStore } from "@grest-ts/metrics";
import { AuthApi } from "../shared/AuthApi.js";
import { TOKEN_VERIFIER } from "../shared/auth/keys.js";
import { ChatApi } from "../shared/ChatApi.js";
import { RoomsApi } from "../shared/RoomsApi.js";
import { AuthService } from "./AuthService.js";
import { ChatService } from "./ChatService.js";
import { serveMetrics } from "./metrics.js";
import { servePage } from "./page.js";
import { RoomStore } from "./RoomStore.js";
import { RoomsService } from "./RoomsService.js";
import { ROOMS } from "./rooms.js";
import { TokenStore } from "./TokenStore.js";

/** The chat's server. `compose()` is its whole wiring. */
export class ChatRuntime {
  /** The scope of this runtime's services: the server, the metrics, the token verifier. */
  readonly #scope = new GGLocatorScope("chat");

  constructor(private readonly pageFolder: URL) {
    this.#scope.setLifecycleOwner(this);
  }

  protected compose(): void {
    GG_METRICS.set(new GGMetricsStore());

    const tokens = new TokenStore();
    TOKEN_VERIFIER.set((token) => tokens.find(token));
    const rooms = new RoomStore(ROOMS);
    const chatService = new ChatService(rooms);

    const httpServer = new GGHttpServer();
    new GGHttp(httpServer).http(AuthApi, new AuthService(tokens, chatService)).http(RoomsApi, new RoomsService(rooms));
    ChatApi.register(chatService.handleConnection, { http: httpServer });
    serveMetrics(httpServer);
    servePage(httpServer, this.pageFolder);
  }

  /** Resolves to the port. */
  start(): Promise<number | undefined> {
    return this.#scope.run(async () => {
      this.compose();
      const httpServer = GG_HTTP_SERVER.get();
      await httpServer.start();
      return httpServer.port;
    });
  }

  async teardown(): Promise<void> {
    await this.#scope.tryGet(GG_HTTP_SERVER)?.teardown();
  }
}
