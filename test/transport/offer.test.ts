import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { expect, it, onTestFinished } from "vitest";
import { dialWs } from "../../src/client/node/dial.js";

it("a client in Node offers no compression and no other extension", async () => {
  const http = createServer();
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  onTestFinished(() => void http.close());
  const upgrade = once(http, "upgrade") as Promise<[IncomingMessage, Duplex]>;
  const transport = dialWs(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`);
  const [{ headers }, socket] = await upgrade;
  expect(headers.upgrade).toBe("websocket");
  expect(headers).not.toHaveProperty("sec-websocket-extensions");
  transport.terminate();
  socket.destroy();
});
