import { createServer, type RequestListener } from "node:http";
import { fileURLToPath } from "node:url";
import sirv from "sirv";
import { serveBoard } from "./serveBoard.js";

const port = Number(process.env.PORT ?? 5173);
const http = createServer();
const stop = serveBoard(http, process.argv.includes("--dev") ? await developmentPage() : builtPage());
http.listen(port, () => console.log(`The board is open at http://localhost:${port}`));
process.once("SIGINT", stop);
process.once("SIGTERM", stop);

/** The page as Vite has built it. */
function builtPage(): RequestListener {
  return sirv(fileURLToPath(new URL("../dist", import.meta.url)), { single: true });
}

/** The page as its sources are now. Vite's socket, which reloads the page, is on the same server as the board's. */
async function developmentPage(): Promise<RequestListener> {
  const { createServer } = await import("vite");
  const root = fileURLToPath(new URL("..", import.meta.url));
  const vite = await createServer({ root, server: { middlewareMode: true, hmr: { server: http } } });
  return vite.middlewares;
}
