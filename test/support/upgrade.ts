import { request } from "node:http";

/** What a server answers to an upgrade request: 101, or how it was refused. */
export interface UpgradeAnswer {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Sends an upgrade request with these headers besides the correct ones, and closes when it is accepted. */
export function upgrade(url: string, headers: Record<string, string | string[]> = {}): Promise<UpgradeAnswer> {
  return new Promise((resolve, reject) => {
    const asked = request(url.replace(/^ws/, "http"), {
      agent: false,
      headers: {
        Connection: "Upgrade",
        Upgrade: "websocket",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
        ...headers,
      },
    });
    asked.on("upgrade", (response, socket) => {
      socket.destroy();
      resolve({ status: response.statusCode ?? 0, body: "", headers: response.headers });
    });
    asked.on("response", async (response) => {
      let body = "";
      for await (const chunk of response) body += chunk;
      resolve({ status: response.statusCode ?? 0, body, headers: response.headers });
    });
    asked.on("error", reject);
    asked.end();
  });
}
