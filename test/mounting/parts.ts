import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { IsString } from "@grest-ts/schema";
import {
  defineSocketContract,
  type GGNodeServer,
  type WebSocketSchemaConfig,
  webSocketSchema,
} from "@grest-ts/websocket";
import { onTestFinished } from "vitest";
import { Queue } from "../support/queue.js";
import { certificates, endServer, type HostApp, type HostKind, portOf } from "./hosts.js";

/** A small API with both directions, of a name of its own. */
export const apiNamed = (name: string) =>
  webSocketSchema(
    defineSocketContract(name, {
      clientToServer: { greet: { input: IsString, success: IsString } },
      serverToClient: { news: { input: IsString } },
    }),
  )
    .path(`ws/${name}`)
    .done();

type Api = ReturnType<typeof apiNamed>;

/** Serves it: greets, and sends news to each connection. */
export function serveOn(http: GGNodeServer, api: Api, config: WebSocketSchemaConfig = {}) {
  const served = api.startServer(
    (incoming, outgoing) => {
      incoming.on({ greet: async (name) => `Hello ${name} from ${api.name}` });
      outgoing.news("welcome");
    },
    { http, ...config },
  );
  onTestFinished(() => served.teardown());
  return served;
}

/** A client of it, not connected yet. */
export function clientOf(api: Api, url: string) {
  const news = new Queue<string>();
  const closed = new Queue<string>();
  const client = api.createClient({ url, connectOptions: { ca: certificates?.ca, family: 4 } });
  client.incoming.on({ news: (text) => void news.push(text) });
  client.onClose((reason) => closed.push(reason));
  onTestFinished(() => client.close());
  return { client, news, closed };
}

/** Makes an app for the length of a test. */
export function makeHost(kind: HostKind): HostApp & { url(): string; get(path: string): Promise<Answer> } {
  const app = kind.make();
  onTestFinished(() => endServer(app.server));
  // The name that the certificate is for.
  const url = () => `${kind.scheme}://localhost:${portOf(app.server)}`;
  return { ...app, url, get: (path) => ask(`${url()}${path}`) };
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Sends a plain request. */
export function ask(url: string, body?: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const request = url.startsWith("https:") ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const asked = request(url, {
      method: body === undefined ? "GET" : "POST",
      headers: body === undefined ? headers : { "Content-Type": "text/plain", ...headers },
      agent: false,
      family: 4,
      ca: certificates?.ca,
    });
    asked.on("response", async (response) => {
      let text = "";
      for await (const chunk of response) text += chunk;
      resolve({ status: response.statusCode ?? 0, body: text });
    });
    asked.on("error", reject);
    asked.end(body);
  });
}

/** The status that an upgrade to a path gets. */
export function upgradeStatus(url: string): Promise<number> {
  const request = url.startsWith("https:") ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const asked = request(url, {
      agent: false,
      family: 4,
      ca: certificates?.ca,
      headers: {
        Connection: "Upgrade",
        Upgrade: "websocket",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
      },
    });
    asked.on("upgrade", (_response, socket) => {
      socket.destroy();
      resolve(101);
    });
    asked.on("response", (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.on("error", reject);
    asked.end();
  });
}
