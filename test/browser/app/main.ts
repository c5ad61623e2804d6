import { ERROR, FORBIDDEN, NOT_AUTHORIZED, SERVER_ERROR, VALIDATION_ERROR } from "@grest-ts/schema";
import { type GGReconnectOptions, GGSocketPool } from "@grest-ts/websocket";
import { FULL, LaxApi, PageApi } from "./api.js";

/** The page's program: one client that tests drive through `pageApp`, and that tells them what happens through `report`. */

export interface AppOptions {
  readonly url?: string;
  readonly room?: string;
  readonly reconnect?: boolean | GGReconnectOptions;
  /** Sent in the handshake, with the number of the attempt. */
  readonly token?: string;
  /** Checks less than the server does. */
  readonly lax?: boolean;
}

/** How something ended, as it can be told to another process. */
export type AppOutcome =
  | { readonly ok: unknown }
  | {
      readonly error: { readonly type: string; readonly text: string; readonly data?: unknown; readonly class: string };
    };

type Client = ReturnType<typeof PageApi.createClient>;

const CLASSES = { FULL, NOT_AUTHORIZED, FORBIDDEN, VALIDATION_ERROR, SERVER_ERROR };

const app = {
  client: undefined as unknown as Client,

  create({ url = "", room = "lobby", reconnect = false, token, lax = false }: AppOptions = {}): void {
    let attempt = 0;
    const authorise = {
      updateHandshake: ({ headers }: { headers: Record<string, string> }) => {
        if (token !== undefined) headers.authorization = `${token} ${++attempt}`;
      },
    };
    const Api = lax ? (LaxApi as unknown as typeof PageApi) : PageApi;
    app.client = Api.createClient({ url, query: { room }, reconnect, middlewares: [authorise] });
    app.client.incoming.on({ news: ({ text }) => report(`news ${text}`) });
    app.client
      .onDisconnect((reason) => report(`disconnect ${reason}`))
      .onClose((reason, error) => report(`close ${reason}${error ? ` ${error.type}` : ""}`))
      .onError((error) => report(`error ${error.message}`));
  },

  /** With a set-up callback, which answers what the server asks. */
  connect(): Promise<AppOutcome> {
    return app.settled(
      app.client.connect(({ incoming }) => {
        report("setup");
        incoming.on({ areYouThere: ({ text }) => text === "page" });
      }),
    );
  },

  greet: (name: string): Promise<AppOutcome> => app.settled(app.client.outgoing.greet({ name })),

  /** A frame that no client would send, past the contract. */
  async raw(path: string, data: unknown): Promise<unknown> {
    const socket = await GGSocketPool.getOrConnect({
      domain: location.origin,
      path: "/ws/page",
      query: { room: "raw" },
    });
    const reply = await socket.send(path, data, true);
    await GGSocketPool.closeAll();
    return reply;
  },

  /** Tries to serve the API. */
  serve(): Promise<AppOutcome> {
    return app.settled((async () => PageApi.register(() => {}))());
  },

  async settled(promise: PromiseLike<unknown>): Promise<AppOutcome> {
    try {
      return { ok: await promise };
    } catch (thrown) {
      if (!(thrown instanceof ERROR))
        return { error: { type: "Error", text: (thrown as Error).message, class: "Error" } };
      const [name = "ERROR"] = Object.entries(CLASSES).find(([, known]) => thrown instanceof known) ?? [];
      const { type, data, context } = thrown;
      return { error: { type, text: context?.displayMessage ?? "", data, class: name } };
    }
  },
};

declare global {
  var pageApp: PageApp;
  /** Made by the test. */
  function report(event: string): void;
}
export type PageApp = typeof app;

globalThis.pageApp = app;
