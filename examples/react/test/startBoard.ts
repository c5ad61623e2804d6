import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { serveBoard } from "../server/serveBoard.js";

/** A board of its own on a free port, or on one that is given. */
export async function startBoard(page: RequestListener = (_request, response) => response.end(), port = 0) {
  const http = createServer();
  const stop = serveBoard(http, page);
  await new Promise<void>((resolve) => http.listen(port, "127.0.0.1", resolve));
  const { port: ownPort } = http.address() as AddressInfo;
  return { port: ownPort, url: `http://127.0.0.1:${ownPort}`, stop };
}
