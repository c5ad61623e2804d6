import { describe, expect, it } from "vitest";
import { captureErrors, newServer, openSocket, readToEnd, startServer } from "./support.js";

describe("plain routes", () => {
  it("match by method and path, with parameters and wildcards", async () => {
    const server = newServer();
    server.registerRoute("GET", "/users/:id", (_request, response, params) => {
      response.end(`user ${params.id}`);
    });
    server.registerRoute("get", "/static/*", (_request, response, params) => {
      response.setHeader("content-type", "text/plain").end(`file ${params["*"]}`);
    });
    server.registerRoute("POST", "/users/:id", (_request, response) => {
      response.writeHead(201).end();
    });
    const url = await startServer(server);
    expect(await (await fetch(`${url}/users/a%20b?x=1`)).text()).toBe("user a b");
    expect(await (await fetch(`${url}/static/css/site.css`)).text()).toBe("file css/site.css");
    expect((await fetch(`${url}/users/1`, { method: "POST" })).status).toBe(201);
  });

  it("answer HEAD like GET, without a body", async () => {
    const server = newServer();
    server.registerRoute("GET", "/page", (_request, response) => {
      response.setHeader("x-page", "1").end("content");
    });
    const url = await startServer(server);
    const response = await fetch(`${url}/page`, { method: "HEAD" });
    expect(response.status).toBe(200);
    expect(response.headers.get("x-page")).toBe("1");
    expect(await response.text()).toBe("");
  });

  it("cannot be registered twice, or without a leading slash", () => {
    const server = newServer();
    server.registerRoute("GET", "/page", () => undefined);
    expect(() => server.registerRoute("GET", "/page", () => undefined)).toThrow("GET /page is already registered");
    expect(() => server.registerRoute("GET", "page", () => undefined)).toThrow(/"page".*slash/);
  });

  it("that fail are answered with a SERVER_ERROR without details, logged under the same reference", async () => {
    const errors = captureErrors();
    const server = newServer();
    server.registerRoute("GET", "/throws", () => {
      throw new Error("secret one");
    });
    server.registerRoute("GET", "/rejects", async () => {
      throw new Error("secret two");
    });
    const url = await startServer(server);
    for (const path of ["/throws", "/rejects"]) {
      const response = await fetch(url + path);
      const body = await response.json();
      expect(response.status).toBe(500);
      expect(body).toMatchObject({ success: false, type: "SERVER_ERROR" });
      expect(JSON.stringify(body)).not.toContain("secret");
      expect(errors.at(-1)).toContain(body.context.ref);
    }
    expect(errors[0]).toContain("secret one");
    expect(errors[1]).toContain("secret two");
  });

  it("that fail during the response break the connection, so that it does not appear complete", async () => {
    captureErrors();
    const server = newServer();
    server.registerRoute("GET", "/half", async (_request, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("half");
      throw new Error("boom");
    });
    const url = await startServer(server);
    await expect(fetch(`${url}/half`).then((response) => response.text())).rejects.toThrow();
  });
});

it("an unknown path or method is answered with ROUTE_NOT_FOUND", async () => {
  const server = newServer();
  server.registerRoute("GET", "/page", (_request, response) => {
    response.end();
  });
  const url = await startServer(server);
  for (const [method, path] of [
    ["GET", "/nope?token=secret"],
    ["DELETE", "/page"],
    ["OPTIONS", "/page"],
  ]) {
    const response = await fetch(url + path, { method: method as string });
    const body = await response.json();
    expect(response.status).toBe(404);
    expect(response.headers.get("content-type")).toMatch(/^application\/json/);
    expect(body).toMatchObject({ success: false, type: "ROUTE_NOT_FOUND", statusCode: 404 });
    expect(body.context.displayMessage).not.toContain("secret");
  }
});

it("a malformed path is answered with 404", async () => {
  const server = newServer();
  server.registerRoute("GET", "/users/:id", (_request, response) => {
    response.end("found");
  });
  await server.start();
  const socket = await openSocket(server);
  socket.write("GET /users/%E0%A4%A HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  expect(await readToEnd(socket)).toMatch(/^HTTP\/1\.1 404/);
});

describe("CORS", () => {
  const preflight = (url: string, origin: string) =>
    fetch(url, {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "x-trace" },
    });

  it("is off by default", async () => {
    const server = newServer();
    server.registerCorsHeaders(["x-trace"]);
    const url = await startServer(server);
    const response = await preflight(`${url}/page`, "https://app.example");
    expect(response.status).toBe(404);
    expect([...response.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
  });

  it("can be on for all origins", async () => {
    const server = newServer({ cors: true });
    server.registerCorsHeaders(["X-Trace"]);
    server.registerCorsExposeHeaders(["X-Total"]);
    server.registerRoute("GET", "/page", (_request, response) => {
      response.end("hi");
    });
    const url = await startServer(server);
    const asked = await preflight(`${url}/page`, "https://app.example");
    expect(asked.status).toBe(204);
    expect(asked.headers.get("access-control-allow-origin")).toBe("*");
    expect(asked.headers.get("access-control-allow-methods")).toContain("POST");
    expect(asked.headers.get("access-control-allow-headers")).toBe("authorization, content-type, x-trace");
    const response = await fetch(`${url}/page`, { headers: { origin: "https://app.example" } });
    expect(await response.text()).toBe("hi");
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    expect(response.headers.get("access-control-expose-headers")).toBe("x-total");
    expect(response.headers.get("access-control-allow-credentials")).toBeNull();
  });

  it("can be on for some origins, with cookies", async () => {
    const server = newServer({ cors: { origins: ["https://app.example"], credentials: true } });
    const url = await startServer(server);
    const good = await preflight(`${url}/page`, "https://app.example");
    expect(good.headers.get("access-control-allow-origin")).toBe("https://app.example");
    expect(good.headers.get("access-control-allow-credentials")).toBe("true");
    expect(good.headers.get("vary")).toBe("origin");
    const bad = await preflight(`${url}/page`, "https://evil.example");
    expect(bad.headers.get("access-control-allow-origin")).toBeNull();
    expect(bad.headers.get("vary")).toBe("origin");
  });

  it("never lets an arbitrary origin use its visitors' cookies", () => {
    expect(() => newServer({ cors: { credentials: true } })).toThrow(/origins/);
  });
});
