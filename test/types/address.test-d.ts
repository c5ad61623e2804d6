import type { Agent } from "node:http";
import type { Agent as SecureAgent } from "node:https";
import type { ConnectOptions, GGWebSocketClientConfig, GGWebSocketTarget } from "@grest-ts/websocket";
import { WebSocket as Undici } from "undici";
import { expectTypeOf, it } from "vitest";
import { WebSocket as Ws } from "ws";

type Config = GGWebSocketClientConfig;

it("webSocket takes the global class, those of ws and undici, and a subclass", () => {
  class Own extends Ws {}
  const configs: Config[] = [
    { webSocket: globalThis.WebSocket },
    { webSocket: WebSocket },
    { webSocket: Ws },
    { webSocket: Undici },
    { webSocket: Own },
    { webSocket: undefined },
  ];
  void configs;
  // @ts-expect-error a URL is no WebSocket
  void ({ webSocket: URL } satisfies Config);
  // @ts-expect-error an object is no class
  void ({ webSocket: {} as WebSocket } satisfies Config);
});

it("url is a text or a URL", () => {
  expectTypeOf<GGWebSocketTarget["url"]>().toEqualTypeOf<string | URL | undefined>();
});

it("connectOptions take what Node has for them, and nothing that the defences depend on", () => {
  const agent = {} as Agent;
  const options: ConnectOptions[] = [
    { agent },
    { agent: {} as SecureAgent },
    { ca: "pem" },
    { ca: Buffer.from("pem"), cert: ["pem", Buffer.from("pem")], key: "pem", passphrase: "p", pfx: Buffer.from("") },
    { headers: { "X-A": "b", "X-List": ["c", "d"] }, origin: "https://app.example" },
    { rejectUnauthorized: false, servername: "x", localAddress: "127.0.0.1", family: 6 },
    { ca: undefined, headers: undefined },
  ];
  void options;
  // @ts-expect-error compression is not offered
  void ({ perMessageDeflate: true } satisfies ConnectOptions);
  // @ts-expect-error the limit of messages stays
  void ({ maxPayload: 1 } satisfies ConnectOptions);
  // @ts-expect-error redirects are not followed
  void ({ followRedirects: true } satisfies ConnectOptions);
  // @ts-expect-error no such version
  void ({ family: 5 } satisfies ConnectOptions);
});

it("beforeConnect may return fresh connectOptions", () => {
  void ({ beforeConnect: () => ({ connectOptions: { headers: { a: "b" } } }) } satisfies Config);
});
