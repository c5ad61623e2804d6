import { GG_HTTP_SERVER, GGHttp, GGHttpServer } from "@grest-ts/http";
import { GGLocatorScope } from "@grest-ts/locator";
import { GG_METRICS, GGMetricsStore } from "@grest-ts/metrics";
import { AuthApi } from "../shared/AuthApi.js";
import { auth } from "../shared/auth/auth.js";
import { TOKEN_VERIFIER } from "../shared/auth/keys.js";
import { RoomsApi } from "../shared/RoomsApi.js";
import { AuthService } from "./AuthService.js";
import { ChatService } from "./ChatService.js";
import { serveDocs } from "./docs/serveDocs.js";
import { type InspectorOptions, serveInspector } from "./inspector.js";
import { serveMetrics } from "./metrics.js";
import { servePage } from "./page.js";
import { RoomsService } from "./RoomsService.js";
import type { Stores } from "./stores/stores.js";

/** The chat's server. `compose()` is its whole wiring. */
export class ChatRuntime {
  /** The scope of this runtime's services: the server, the metrics, the token verifier. */
  readonly #scope = new GGLocatorScope("chat");

  /**
   * @param nodeName is shown to users, where there are several nodes
   * @param inspector serves a page of live traffic, for development
   */
  constructor(
    private readonly pageFolder: URL,
    private readonly stores: Stores,
    private readonly nodeName?: string,
    private readonly inspector?: InspectorOptions,
  ) {
    this.#scope.setLifecycleOwner(this);
  }

  protected compose(): void {
    GG_METRICS.set(new GGMetricsStore());

    const { logIns, messages, bus } = this.stores;
    TOKEN_VERIFIER.set((token) => logIns.find(token));
    const chat = new ChatService(messages, { bus, name: this.nodeName });

    const httpServer = new GGHttpServer();
    new GGHttp(httpServer)
      .http(AuthApi, new AuthService(logIns, chat))
      .use(auth)
      .http(RoomsApi, new RoomsService(messages));
    const server = chat.serve(httpServer);
    if (this.inspector) serveInspector(httpServer, server, this.inspector);
    serveMetrics(httpServer);
    serveDocs(httpServer);
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
    await this.stores.close();
  }
}
