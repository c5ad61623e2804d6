import { expect, it } from "vitest";
import { describeInReact, eventually } from "./support/inReact.js";

const COUNT = 1_000;
const ids = Array.from({ length: COUNT }, (_, id) => id);

describeInReact("usePushState", ({ open }) => {
  it("reduces each of 1,000 pushes of one tick once, and renders twice at most", async () => {
    const { server, view, page } = await open();
    await page.evaluate(() => {
      const { h, createClient, mount, provided, components } = lab;
      createClient();
      mount(provided(h(components.Pins)));
    });
    const { outgoing } = await server.connections.next();
    const before = await page.evaluate(() => lab.renders);
    for (const id of ids) outgoing.pinned(id);
    await view.shows(`${COUNT}`);
    await view.settle();
    const { reduced, renders } = await page.evaluate(() => ({ reduced: lab.reduced, renders: lab.renders }));
    expect(reduced).toBe(COUNT);
    expect(renders - before).toBeLessThanOrEqual(2);
  });

  it.each([true, false])("loses nothing that comes one by one (StrictMode: %s)", async (strict) => {
    const { server, view, page } = await open();
    await page.evaluate((strict) => {
      const { h, createClient, mount, provided, components } = lab;
      createClient({ capabilities: [] });
      mount(provided(h(components.Pins), h(components.Listener, { name: "all" })), { strict });
    }, strict);
    const { outgoing } = await server.connections.next();
    for (const id of ids) outgoing.pinned(id);
    await view.logged(...ids.map((id) => `all ${id}`));
    await eventually(async () => expect(await page.locator("p").first().textContent()).toBe(`${COUNT}`));
  });

  it("begins with what is pushed as soon as there is a connection", async () => {
    const { server, view, page } = await open();
    server.greeting = 7;
    await page.evaluate(() => {
      const { h, createClient, mount, provided, components } = lab;
      createClient();
      mount(provided(h(components.Pins), h(components.Listener, { name: "a" })), { strict: true });
    });
    await view.logged("a 7");
    await eventually(async () => expect(await page.locator("p").first().textContent()).toBe("7"));
  });

  it("takes pushes without data", async () => {
    const { server, view, page } = await open();
    await page.evaluate(() => {
      const { h, createClient, mount, provided, components } = lab;
      createClient();
      mount(provided(h(components.Clears)));
    });
    const { outgoing } = await server.connections.next();
    outgoing.cleared();
    outgoing.cleared();
    await view.shows("2");
  });

  it.each([
    { what: "client", strict: false },
    { what: "client", strict: true },
    { what: "method", strict: false },
    { what: "method", strict: true },
  ])(
    "keeps nothing of an earlier $what, also pushed before the effects of the change (StrictMode: $strict)",
    async (one) => {
      const { view, page } = await open();
      const cases = await page.evaluate(async ({ what, strict }) => {
        const { React, h, createClient, pusherTo, mount, flushSync, components, SocketProvider } = lab;
        const renderings: Record<string, (render: () => void) => void> = {
          urgent: flushSync,
          usual: (render) => render(),
          transition: React.startTransition,
        };
        const keptIn = async (renderBy: (render: () => void) => void) => {
          const connected = async () => {
            const client = createClient();
            const push = pusherTo(client);
            await client.connect();
            return (method: string) => ({ client, method, push: (id: number) => push(method, id) });
          };
          const of = await connected();
          const first = of("pinned");
          const second = what === "client" ? (await connected())("pinned") : of("cleared");
          const seen: string[] = [];
          const has = async (id: number) => {
            while (!seen.at(-1)?.endsWith(`${id}`)) await new Promise(requestAnimationFrame);
          };
          const root = mount(null);
          const render = ({ client, method }: typeof first, effects = {}) => {
            const tree = h(SocketProvider, { client }, h(components.Pushed, { method, seen, ...effects }));
            root.render(strict ? h(React.StrictMode, null, tree) : tree);
          };
          flushSync(() => render(first));
          first.push(1);
          await has(1);
          renderBy(() => render(second, { between: () => first.push(2), after: () => second.push(3) }));
          await has(3);
          renderBy(() => render(first, { between: () => second.push(4), after: () => first.push(5) }));
          await has(5);
          first.push(6);
          await has(6);
          return seen;
        };
        return Promise.all(
          Object.entries(renderings).map(async ([name, renderBy]) => ({ name, seen: await keptIn(renderBy) })),
        );
      }, one);
      const seen = ["", "1", "", "3", "", "5", "5,6"];
      expect(cases).toEqual(["urgent", "usual", "transition"].map((name) => ({ name, seen })));
      await view.shows("5,6", "5,6", "5,6");
    },
  );
});

describeInReact("usePush", ({ open }) => {
  it("gives each of 1,000 pushes of one tick to its handler, in order, and does not render", async () => {
    const { server, view, page } = await open();
    await page.evaluate(() => {
      const { h, createClient, mount, provided, components } = lab;
      createClient();
      mount(provided(h(components.Listener, { name: "a" })));
    });
    const { outgoing } = await server.connections.next();
    for (const id of ids) outgoing.pinned(id);
    await view.logged(...ids.map((id) => `a ${id}`));
    await view.settle();
    await view.shows("1");
  });

  it("gives a push to all components, and to those that are left when one unmounts", async () => {
    const { server, view, page } = await open();
    const render = (...names: string[]) =>
      page.evaluate((names) => {
        const { h, root, createClient, mount, provided, components, flushSync } = lab;
        if (!root) createClient();
        const listeners = names.map((name) => h(components.Listener, { key: name, name }));
        flushSync(() => (root ?? mount(null)).render(provided(...listeners)));
      }, names);
    await render("a", "b", "c");
    const { outgoing } = await server.connections.next();
    outgoing.pinned(1);
    await view.logged("a 1", "b 1", "c 1");
    await render("a", "c");
    outgoing.pinned(2);
    await view.logged("a 1", "b 1", "c 1", "a 2", "c 2");
    // The first of them has registered the handler of all.
    await render("c");
    outgoing.pinned(3);
    await view.logged("a 1", "b 1", "c 1", "a 2", "c 2", "c 3");
    await render("c", "d");
    outgoing.pinned(4);
    await view.logged("a 1", "b 1", "c 1", "a 2", "c 2", "c 3", "c 4", "d 4");
    expect(view.sockets).toBe(1);
  });

  it("gives a push back to the program's own handler when the last component has unmounted", async () => {
    const { server, view, page } = await open();
    await page.evaluate(() => {
      const { React, h, createClient, mount, flushSync, provided, components } = lab;
      createClient().incoming.on({ pinned: (id) => lab.log.push(`own ${id}`) });
      void lab.client.connect();
      const listeners = ["a", "b"].map((name) => h(components.Listener, { key: name, name }));
      flushSync(() => mount(null).render(h(React.StrictMode, null, provided(...listeners))));
    });
    const { outgoing } = await server.connections.next();
    outgoing.pinned(1);
    await view.logged("a 1", "b 1");
    await page.evaluate(() => lab.flushSync(() => lab.root.unmount()));
    outgoing.pinned(2);
    await view.logged("a 1", "b 1", "own 2");
  });

  it("registers once, though each push renders, and runs the handler of the latest render", async () => {
    const { server, view, page } = await open();
    await page.evaluate(() => {
      const { h, createClient, mount, provided, components } = lab;
      const { incoming } = createClient();
      const { on } = incoming;
      const registered = (handlers: object) => lab.log.push(`on ${Object.keys(handlers)}`);
      Object.assign(incoming, { on: (handlers: object) => [on(handlers), registered(handlers)][0] });
      mount(provided(h(components.Counter)));
    });
    const { outgoing } = await server.connections.next();
    for (let pushes = 0; pushes < 20; pushes++) {
      outgoing.pinned(pushes);
      await view.shows(`${pushes + 1}`);
    }
    await view.logged("on pinned", ...Array.from({ length: 20 }, (_, count) => `${count}`));
  });

  it("gives a push to the others when the handler of one fails, whose error is reported", async () => {
    const { server, view, page } = await open();
    view.expectPrinted(/Board\.pinned: /);
    await page.evaluate(() => {
      const { h, createClient, mount, provided, components } = lab;
      createClient().onError((error) => lab.log.push(`reported ${error.message}`));
      const fail = () => {
        throw new Error("failed");
      };
      mount(provided(h(components.Listener, { name: "a", fail }), h(components.Listener, { name: "b" })));
    });
    const { outgoing } = await server.connections.next();
    outgoing.pinned(1);
    await view.logged("a 1", "b 1", "reported SERVER_ERROR");
  });

  it("reports all errors when the handlers of several fail, to callbacks and in the log", async () => {
    const { server, page } = await open();
    await page.evaluate(() => {
      const { h, createClient, mount, provided, components } = lab;
      const entry = (error: unknown) => {
        const errors = error instanceof AggregateError ? error.errors.map(String) : ["no AggregateError"];
        return [...errors, String((error as Error).message)].join("; ");
      };
      const logger = {
        debug() {},
        warn() {},
        error: (message: string, fields?: { readonly error?: unknown }) =>
          lab.log.push(`${message.split(":")[0]} logged ${entry(fields?.error)}`),
      };
      createClient({ logger }).onError((error) => {
        const { getDebugContext } = error as { getDebugContext?: () => { readonly originalError?: unknown } };
        lab.log.push(`reported ${entry(getDebugContext?.call(error).originalError)}`);
      });
      const failing = (name: string, fail: () => unknown) => h(components.Listener, { name, fail: fail as () => void });
      mount(
        provided(
          failing("a", () => {
            throw new Error("at once");
          }),
          failing("b", () => {}),
          failing("c", () => {
            throw new TypeError("likewise");
          }),
        ),
      );
    });
    const { outgoing } = await server.connections.next();
    outgoing.pinned(1);
    const errors = "Error: at once; TypeError: likewise; 2 components failed";
    await eventually(async () =>
      expect(await page.evaluate(() => lab.log.sort())).toEqual(
        ["a 1", "b 1", "c 1", `Board.pinned logged ${errors}`, `reported ${errors}`].sort(),
      ),
    );
  });

  it("gives a push to no component that another one has unmounted because of it", async () => {
    const { server, view, page } = await open();
    await page.evaluate(() => {
      const { h, createClient, mount, flushSync, provided, components } = lab;
      createClient();
      const fail = () => flushSync(() => lab.root.render(provided(h(components.Listener, { name: "a" }))));
      mount(provided(h(components.Listener, { name: "a", fail }), h(components.Listener, { name: "b" })));
    });
    const { outgoing } = await server.connections.next();
    outgoing.pinned(1);
    outgoing.pinned(2);
    await view.logged("a 1", "a 2");
  });
});

describeInReact("useAnswer", ({ open }) => {
  it("answers by the component that mounted last, until it unmounts", async () => {
    const { server, page } = await open();
    const render = (...names: string[]) =>
      page.evaluate((names) => {
        const { h, root, createClient, mount, provided, components, flushSync } = lab;
        if (!root) createClient();
        const answerers = names.map((name) => h(components.Answerer, { key: name, name }));
        flushSync(() => (root ?? mount(null)).render(provided(...answerers)));
      }, names);
    await render("a");
    const { outgoing } = await server.connections.next();
    const answer = () => outgoing.confirm("?").orDefault(() => "none");
    expect(await answer()).toBe("a: ?");
    await render("a", "b");
    expect(await answer()).toBe("b: ?");
    await render("b");
    expect(await answer()).toBe("b: ?");
    await render("b", "c");
    await render("b");
    expect(await answer()).toBe("b: ?");
    await render();
    expect(await answer()).toBe("none");
  });

  it("answers in StrictMode, with the props of the latest render", async () => {
    const { server, view, page } = await open();
    const render = (name: string) =>
      page.evaluate((name) => {
        const { React, h, root, createClient, mount, provided, components, flushSync } = lab;
        if (!root) createClient();
        const tree = () => h(React.StrictMode, null, provided(h(components.Answerer, { name }), h(components.Status)));
        flushSync(() => (root ?? mount(null)).render(tree()));
      }, name);
    await render("first");
    await view.shows("connected");
    const { outgoing } = await server.connections.next();
    expect(await outgoing.confirm("?")).toBe("first: ?");
    await render("second");
    expect(await outgoing.confirm("?")).toBe("second: ?");
  });
});
