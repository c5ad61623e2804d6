import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { watchTheProcess } from "../hostile/watch.js";
import { Gate } from "../support/gate.js";
import { HELLO, HOSTS, LOST, OWN_PATH } from "./hosts.js";
import { apiNamed, ask, clientOf, makeHost, serveOn, upgradeStatus } from "./parts.js";

watchTheProcess();

describe.each(HOSTS)("an API on $name", (kind) => {
  const WHEN = kind.listensAtOnce
    ? (["as soon as there is a server", "while it listens"] as const)
    : (["before it listens", "while it listens"] as const);

  it.each(WHEN)("serves calls and pushes, mounted %s", async (when) => {
    const Chat = apiNamed("Chat");
    const host = makeHost(kind);
    if (when === "while it listens") await host.listen();
    serveOn(host.server, Chat);
    if (when !== "while it listens") await host.listen();
    const { client, news } = clientOf(Chat, host.url());
    await client.connect();
    expect(await client.outgoing.greet("Ann")).toBe("Hello Ann from Chat");
    expect(await news.next()).toBe("welcome");
  });

  it("leaves the app its routes, on the path of the API too", async () => {
    const host = makeHost(kind);
    serveOn(host.server, apiNamed("Chat"));
    serveOn(host.server, apiNamed("own"));
    await host.listen();
    expect(await host.get("/hello")).toEqual({ status: 200, body: HELLO });
    expect(await ask(`${host.url()}/echo`, "some text")).toEqual({ status: 200, body: "some text" });
    expect(await host.get("/nowhere")).toEqual({ status: 404, body: LOST });
    expect(await host.get("/ws/Chat")).toEqual({ status: 404, body: LOST });
    expect(await host.get(OWN_PATH)).toEqual({ status: 200, body: "own GET" });
    expect(await upgradeStatus(`${host.url()}${OWN_PATH}`)).toBe(101);
  });

  it("leaves the app the requests that offer another protocol", async () => {
    const host = makeHost(kind);
    serveOn(host.server, apiNamed("Chat"));
    await host.listen();
    const offer = { Connection: "Upgrade, HTTP2-Settings", Upgrade: "h2c", "HTTP2-Settings": "AAMAAABkAAQBAAAA" };
    expect(await ask(`${host.url()}/hello`, undefined, offer)).toEqual({ status: 200, body: HELLO });
    expect(await ask(`${host.url()}/echo`, "some text", offer)).toEqual({ status: 200, body: "some text" });
  });

  it("answers upgrades to other paths with 404, and leaves them to others that there are", async () => {
    const host = makeHost(kind);
    const chat = serveOn(host.server, apiNamed("Chat"));
    await host.listen();
    expect(await upgradeStatus(`${host.url()}/nowhere`)).toBe(404);
    expect(await upgradeStatus(`${host.url()}/hello`)).toBe(404);
    host.server.on("upgrade", ({ url }, socket) => {
      if (url === "/theirs") socket.end("HTTP/1.1 418 I'm a teapot\r\nContent-Length: 0\r\n\r\n");
    });
    expect(await upgradeStatus(`${host.url()}/theirs`)).toBe(418);
    expect(await upgradeStatus(`${host.url()}/ws/Chat`)).toBe(101);
    await chat.teardown();
    expect(await upgradeStatus(`${host.url()}/theirs`)).toBe(418);
  });

  it("serves several APIs, which end one by one", async () => {
    const [One, Two] = [apiNamed("One"), apiNamed("Two")];
    const host = makeHost(kind);
    const first = serveOn(host.server, One);
    serveOn(host.server, Two);
    await host.listen();
    const [one, two] = [clientOf(One, host.url()), clientOf(Two, host.url())];
    await Promise.all([one.client.connect(), two.client.connect()]);
    expect(await one.client.outgoing.greet("Ann")).toBe("Hello Ann from One");
    await first.teardown();
    expect(await one.closed.next()).toBe("drop");
    expect(await upgradeStatus(`${host.url()}/ws/One`)).toBe(404);
    expect(await two.client.outgoing.greet("Bo")).toBe("Hello Bo from Two");
    // Its path is free again.
    serveOn(host.server, One);
    await one.client.connect();
    expect(await one.client.outgoing.greet("Ann")).toBe("Hello Ann from One");
  });

  it("may not have the path of another: the error names both", async () => {
    const host = makeHost(kind);
    serveOn(host.server, apiNamed("Chat"));
    expect(() => serveOn(host.server, apiNamed("Chat"))).toThrow("is already registered on this HTTP server");
  });

  it.each(["first", "last"] as const)(
    "ends with teardown() and the app's own end, the server closed %s",
    async (order) => {
      const Chat = apiNamed("Chat");
      const host = makeHost(kind);
      const [begun, mayEnd] = [new Gate(), new Gate()];
      const chat = Chat.startServer(
        (incoming) =>
          incoming.on({
            greet: async (name) => {
              begun.open();
              await mayEnd.passed;
              return `late ${name}`;
            },
          }),
        { http: host.server },
      );
      host.beforeClose?.(() => chat.teardown());
      await host.listen();
      const { client, closed } = clientOf(Chat, host.url());
      await client.connect();
      const answer = client.outgoing.greet("Ann");
      await begun.passed;
      const gone = once(host.server, "close");
      const ended: Promise<unknown>[] = [];
      if (order === "first") ended.push(host.close(), chat.teardown());
      else ended.push(chat.teardown());
      mayEnd.open();
      expect(await answer).toBe("late Ann");
      if (order === "last") {
        await chat.teardown();
        ended.push(host.close());
      }
      await Promise.all([...ended, gone]);
      expect(await closed.next()).toBe("drop");
      expect(host.server.listening).toBe(false);
    },
  );
});
