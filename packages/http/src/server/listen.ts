import type { Server } from "node:http";

/** The port of the environment variable PORT, or 0 for any free port. */
export function portFromEnvironment(): number {
  const text = process.env.PORT;
  if (text === undefined || text === "") return 0;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new Error(`GGHttpServer: the environment variable PORT is not a port number: "${text}".`);
  }
  return port;
}

/** Resolves when the server listens; rejects with an error that explains what to do. */
export function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException) => reject(explain(error, port));
    server.once("error", onError);
    server.listen(port, "0.0.0.0", () => {
      server.off("error", onError);
      resolve();
    });
  });
}

function explain(error: NodeJS.ErrnoException, port: number): Error {
  if (error.code === "EADDRINUSE") {
    return new Error(
      `GGHttpServer: port ${port} is already in use. Stop the program that listens on it, or choose another port ` +
        "(`new GGHttpServer({ port })` or the environment variable PORT; 0 takes a free one).",
      { cause: error },
    );
  }
  return new Error(`GGHttpServer: cannot listen on port ${port}: ${error.message}`, { cause: error });
}
