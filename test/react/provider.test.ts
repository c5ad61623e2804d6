import { expect, it } from "vitest";
import { describeInReact, eventually, FAILED_DIAL } from "./support/inReact.js";

describeInReact("SocketProvider", ({ open }) => {
  it("keeps one connection in StrictMode, which the server counts as one that succeeded", async () => {
    const { server, view, page } = await open();
    await page.evaluate(() => {
      const { h, createClient, mount, provided, components } = lab;
      createClient();
      mount(provided(h(components.Status)), { strict: true });
    });
    await view.shows("connected");
    await view.settle();
    expect(await page.evaluate(() => lab.client.outgoing.pin({ text: "a" }))).toBe("pinned a");
    await view.shows("connected");
    expect({ page: view.sockets, server: server.upgrades, attempts: await server.attempts() }).toEqual({
      page: 1,
      server: 1,
      attempts: { OK: 1 },
    });
  });

  it("connects only the client that is kept of those that useState makes in StrictMode", async () => {
    const { server, view, page } = await open();
    await page.evaluate(() => lab.mount(lab.h(lab.components.OwnClient), { strict: true }));
    await view.shows("connected");
    expect({ sockets: view.sockets, attempts: await server.attempts() }).toEqual({ sockets: 1, attempts: { OK: 1 } });
  });

  it("disconnects when it unmounts, and connects when it mounts again", async () => {
    const { server, view, page } = await open();
    await page.evaluate(() => {
      const { h, createClient, mount, provided, components } = lab;
      createClient();
      mount(provided(h(components.Status)));
    });
    await view.shows("connected");
    await page.evaluate(() => lab.root.render(null));
    await (await server.connections.next()).closed;
    expect(await page.evaluate(() => lab.client.state)).toBe("closed");
    await page.evaluate(() => lab.root.render(lab.provided(lab.h(lab.components.Status))));
    await view.shows("connected");
    await view.logged("idle", "connecting", "connected", "closed", "connecting", "connected");
  });

  it("keeps the connection when it unmounts and mounts in one task", async () => {
    const { server, view, page } = await open();
    await page.evaluate(() => {
      const { h, createClient, mount, provided, components } = lab;
      createClient();
      mount(provided(h(components.Status)));
    });
    await view.shows("connected");
    await page.evaluate(() => {
      const { h, root, client, flushSync, provided, components, SocketProvider } = lab;
      const status = h(components.Status);
      flushSync(() => root.render(h(SocketProvider, { client, key: "another" }, status)));
      flushSync(() => root.render(null));
      flushSync(() => root.render(provided(status)));
    });
    await view.settle();
    await view.shows("connected");
    expect({ open: server.open, upgrades: server.upgrades }).toEqual({ open: 1, upgrades: 1 });
  });

  it("gives up an attempt that is under way when it unmounts, and nothing is unhandled", async () => {
    const { server, view, page } = await open();
    view.expectPrinted(FAILED_DIAL);
    const states = await page.evaluate(() => {
      const { h, createClient, mount, flushSync, provided, components } = lab;
      const client = createClient({ reconnect: { initial: true } });
      const root = mount(null);
      flushSync(() => root.render(provided(h(components.Status))));
      const before = client.state;
      root.unmount();
      return new Promise((resolve) => {
        client.onState((state) => resolve([before, state]));
      });
    });
    expect(states).toEqual(["connecting", "closed"]);
    await view.settle();
    expect(await page.evaluate(() => lab.client.state)).toBe("closed");
    await eventually(() => expect(server.open).toBe(0));
  });

  it("keeps a connection that others provide, until the last has unmounted", async () => {
    const { server, view, page } = await open();
    await page.evaluate(() => {
      const { h, createClient, mount, provided, components } = lab;
      createClient();
      const first = mount(provided(h(components.Status)));
      mount(provided(h(components.Status)));
      Object.assign(globalThis, { unmountFirst: () => first.unmount() });
    });
    await view.shows("connected", "connected");
    expect(view.sockets).toBe(1);
    await page.evaluate("unmountFirst()");
    await view.settle();
    await view.shows("connected");
    expect(await page.evaluate(() => lab.client.outgoing.pin({ text: "a" }))).toBe("pinned a");
    await page.evaluate(() => lab.root.unmount());
    await (await server.connections.next()).closed;
  });

  it.each(["connected", "connecting"])("does not disconnect a client that is %s before it mounts", async (before) => {
    const { server, view, page } = await open();
    await page.evaluate(async (before) => {
      const { h, createClient, mount, provided, components } = lab;
      const connecting = createClient().connect();
      if (before === "connected") await connecting;
      mount(provided(h(components.Status)));
    }, before);
    await view.shows("connected");
    await page.evaluate(() => lab.root.unmount());
    await view.settle();
    expect(await page.evaluate(() => lab.client.outgoing.pin({ text: "a" }))).toBe("pinned a");
    expect(server.upgrades).toBe(1);
  });

  it.each([true, false])("disconnects also what a component in it connects first (StrictMode: %s)", async (strict) => {
    const { server, view, page } = await open();
    await page.evaluate((strict) => {
      const { h, createClient, mount, provided, components } = lab;
      createClient();
      mount(provided(h(components.Status), h(components.Hasty)), { strict });
    }, strict);
    await view.shows("connected");
    await page.evaluate(() => lab.root.unmount());
    await (await server.connections.next()).closed;
    expect(server.upgrades).toBe(1);
  });

  it("connects another client that it is given, disconnects the earlier one, and shows nothing of it", async () => {
    const { server, view, page } = await open();
    const render = () =>
      page.evaluate(() => {
        const { h, createClient, mount, provided, components } = lab;
        if (!lab.root) mount(null);
        createClient();
        lab.root.render(provided(h(components.Board)));
      });
    await render();
    await view.shows("connected; pins ");
    const first = await server.connections.next();
    first.outgoing.pinned(1);
    await page.locator("button").click();
    await view.shows("connected; pins 1; pinned a");
    await render();
    const second = await server.connections.next();
    await first.closed;
    await view.shows("connected; pins ");
    second.outgoing.pinned(2);
    await view.shows("connected; pins 2");
    expect(server.open).toBe(1);
  });

  it("serves two clients of one API, and each component hears that of its provider", async () => {
    const { server, view, page } = await open();
    await page.evaluate(() => {
      const { h, createClient, mount, provided, components } = lab;
      createClient();
      const inner = provided(h(components.Pins));
      createClient();
      mount(provided(h(components.Pins), inner));
    });
    // They connect at the same time.
    for (const [id, { outgoing }] of (await server.connections.take(2)).entries()) outgoing.pinned(id);
    await eventually(async () => {
      const shown = await page.locator("p").allTextContents();
      expect(shown.sort()).toEqual(["0", "1"]);
    });
    expect(view.sockets).toBe(2);
  });

  it.each([true, false])("keeps the connection when its module is loaded again (StrictMode: %s)", async (strict) => {
    const { server, view, page } = await open();
    const load = () =>
      page.evaluate((strict) => {
        const { React, h, client, root, createClient, mount, reloaded } = lab;
        if (!client) createClient();
        const element = h(reloaded(), { client: lab.client });
        if (root) root.render(strict ? h(React.StrictMode, null, element) : element);
        else mount(element, { strict });
      }, strict);
    for (let times = 0; times < 3; times++) {
      await load();
      await view.settle();
      await view.shows("connected");
    }
    (await server.connections.next()).outgoing.pinned(1);
    await view.logged("pinned 1");
    expect(await server.attempts()).toEqual({ OK: 1 });
  });

  it("is named, with its API, by hooks that are outside of it", async () => {
    const { view, page } = await open();
    // React prints what a boundary has caught.
    view.expectPrinted(/SocketProvider|error boundary/i);
    const hooks = ["useClient", "useConnection", "usePush", "usePushState", "useAnswer", "useCall"];
    await page.evaluate((hooks) => {
      const { h, mount, components } = lab;
      mount(hooks.map((hook) => h(components.Outside, { key: hook, hook })));
    }, hooks);
    const rest = "needs <SocketProvider client={…}> around its component, of the same createHooks()";
    await view.shows(...hooks.map((hook) => `Board: ${hook}() ${rest}`));
  });

  it("takes over what a server has rendered, which is idle, and then connects", async () => {
    const { view, page } = await open("<main><p>idle</p></main>");
    await page.evaluate(() => {
      const { h, createClient, hydrate, provided, components } = lab;
      createClient();
      hydrate(provided(h(components.Status)));
    });
    await view.shows("connected");
    await view.logged("idle", "connecting", "connected");
  });

  it("hydrates as idle also what is connected by then", async () => {
    const { view, page } = await open("<main><p>idle</p></main>");
    await page.evaluate(async () => {
      const { h, createClient, hydrate, provided, components } = lab;
      await createClient().connect();
      hydrate(provided(h(components.Status)));
    });
    await view.shows("connected");
    await view.logged("idle", "connected");
  });
});
