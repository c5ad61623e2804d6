import { describe, expect, it } from "vitest";
import { ExtApi, serveExt } from "../support/extApi.js";
import { Gate } from "../support/gate.js";
import { serveApi } from "../support/server.js";

/** Ways in which a handler ends what it runs on. */
describe("a handler that ends", () => {
  it.each(["at once", "later"])("its server (%s) still gets its reply out", async (when) => {
    const { http, base } = await serveApi(ExtApi, (incoming) =>
      incoming.on({
        async echo() {
          if (when === "later") await new Promise(setImmediate);
          void http.teardown();
          return "bye";
        },
        wait: () => "",
        note: () => {},
        nest: () => "",
      }),
    );
    const client = ExtApi.createClient({ url: base });
    const closed = new Promise((resolve) => client.onClose(resolve));
    await client.connect();
    expect(await client.outgoing.echo("x")).toBe("bye");
    expect(await closed).toBe("drop");
  });

  it("its client still gets its reply out", async () => {
    const { base, outgoings } = await serveExt();
    const client = ExtApi.createClient({ url: base });
    client.incoming.on({
      ask: () => {
        void client.disconnect();
        return "bye";
      },
    });
    await client.connect();
    const outgoing = await outgoings.next();
    expect(await outgoing.ask("x")).toBe("bye");
    expect(client.state).toBe("closed");
  });

  it("its client, and waits for that, does not wait for itself", async () => {
    const { base, outgoings } = await serveExt();
    const client = ExtApi.createClient({ url: base });
    client.incoming.on({
      ask: async () => {
        await client.disconnect();
        return "bye";
      },
    });
    await client.connect();
    const outgoing = await outgoings.next();
    expect(await outgoing.ask("x")).toBe("bye");
  });

  it("its API, and waits for that, does not wait for itself", async () => {
    const other = new Gate();
    const { server, base } = await serveApi(ExtApi, (incoming) =>
      incoming.on({
        async echo() {
          await server.teardown();
          return "bye";
        },
        async wait() {
          await other.passed;
          return "done";
        },
        note: () => {},
        nest: () => "",
      }),
    );
    const [first, second] = [ExtApi.createClient({ url: base }), ExtApi.createClient({ url: base })];
    await Promise.all([first.connect(), second.connect()]);
    const waiting = second.outgoing.wait("x");
    await second.outgoing.nest({});
    const ending = first.outgoing.echo("x");
    // It does wait for the others.
    other.open();
    expect(await Promise.all([waiting, ending])).toEqual(["done", "bye"]);
  });
});
