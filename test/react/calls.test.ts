import { expect, it } from "vitest";
import { describeInReact } from "./support/inReact.js";

describeInReact("useCall", ({ open }) => {
  /** A page with a `Caller`, connected. */
  async function withCaller({ abortOnUnmount = false, strict = false } = {}) {
    const { server, view, page } = await open();
    await page.evaluate(
      ({ abortOnUnmount, strict }) => {
        const { h, createClient, mount, provided, components } = lab;
        createClient();
        mount(provided(h(components.Caller, { options: { abortOnUnmount } })), { strict });
      },
      { abortOnUnmount, strict },
    );
    await server.connections.next();
    await page.evaluate(() => lab.client.connect());
    /** Begins a call; resolves with what it was for the server, and later with its outcome in the page. */
    const begin = async (text: string) => {
      const outcome = page.evaluate(async (text) => {
        const result = await lab.call!(text);
        return result.success ? result.data : [result.type, lab.failureOf(result)?.reason].join(" ").trim();
      }, text);
      // Only a test that asks for it sees that it fails, as when the page has closed.
      outcome.catch(() => {});
      return { waiting: await server.waiting.next(), outcome };
    };
    return { server, view, page, begin };
  }
  const NOTHING = "done undefined undefined";

  it.each([true, false])("shows that a call is pending, and its result (StrictMode: %s)", async (strict) => {
    const { view, begin } = await withCaller({ strict });
    await view.shows(NOTHING);
    const { waiting, outcome } = await begin("a");
    await view.shows("pending undefined undefined");
    waiting.open("answer");
    await view.shows("done answer undefined");
    expect(await outcome).toBe("answer");
    const next = await begin("b");
    await view.shows("pending answer undefined");
    next.waiting.open("another");
    await view.shows("done another undefined");
  });

  it("shows a declared error, with which the call resolves, until the next call; the data stays", async () => {
    const { view, begin } = await withCaller();
    const first = await begin("a");
    first.waiting.open("answer");
    await view.shows("done answer undefined");
    const second = await begin("b");
    second.waiting.open("full");
    await view.shows("done answer FULL");
    expect(await second.outcome).toBe("FULL");
    const third = await begin("c");
    await view.shows("pending answer undefined");
    third.waiting.open("last");
    await view.shows("done last undefined");
  });

  it("shows the error of a call that cannot be sent, and nothing is unhandled", async () => {
    const { view, page } = await withCaller();
    await page.evaluate(() => {
      lab.client.close();
      void lab.call!("a");
    });
    await view.shows("done undefined not-connected");
  });

  it.each([
    ["first", [0, 1]],
    ["last", [1, 0]],
  ] as const)("shows the outcome of the latest call, when the earlier one ends %s", async (_, order) => {
    const { view, begin } = await withCaller();
    const calls = [await begin("a"), await begin("b")] as const;
    await view.shows("pending undefined undefined");
    for (const at of order) {
      calls[at].waiting.open(`answer ${at}`);
      expect(await calls[at].outcome).toBe(`answer ${at}`);
      await view.shows(at === 0 && order[0] === 0 ? "pending undefined undefined" : "done answer 1 undefined");
    }
    await view.settle();
    await view.shows("done answer 1 undefined");
    await view.logged(NOTHING, "pending undefined undefined", "done answer 1 undefined");
  });

  it("keeps its function from render to render", async () => {
    const { view, begin } = await withCaller();
    (await begin("a")).waiting.open("answer");
    await view.shows("done answer undefined");
    await view.logged(NOTHING, "pending undefined undefined", "done answer undefined");
  });

  it("lets a pending call go on when it unmounts, and sets no state", async () => {
    const { view, page, begin } = await withCaller();
    const { waiting, outcome } = await begin("a");
    await page.evaluate(() => lab.flushSync(() => lab.root.render(lab.provided())));
    expect(waiting.signal.aborted).toBe(false);
    waiting.open("answer");
    expect(await outcome).toBe("answer");
    await view.settle();
    await view.logged(NOTHING, "pending undefined undefined");
  });

  it.each([true, false])("aborts pending calls on unmounting with abortOnUnmount (StrictMode: %s)", async (strict) => {
    const { view, page, begin } = await withCaller({ abortOnUnmount: true, strict });
    const calls = [await begin("a"), await begin("b")];
    await view.shows("pending undefined undefined");
    await page.evaluate(() => lab.flushSync(() => lab.root.render(lab.provided())));
    for (const { waiting, outcome } of calls) {
      expect(await outcome).toBe("SERVER_ERROR aborted");
      if (!waiting.signal.aborted) await new Promise((resolve) => waiting.signal.addEventListener("abort", resolve));
    }
    await view.settle();
  });

  it("takes a signal and a time limit of the call's own", async () => {
    const { server, view, page } = await withCaller({ abortOnUnmount: true });
    const outcome = await page.evaluate(async () => {
      const controller = new AbortController();
      const calls = [lab.call!("a", { timeout: 1 }), lab.call!("b", { signal: controller.signal })];
      controller.abort();
      const results = await Promise.all(calls);
      return results.map((result) => !result.success && lab.failureOf(result)?.reason);
    });
    expect(outcome).toEqual(["timeout", "aborted"]);
    await server.waiting.take(2);
    await view.shows("done undefined aborted");
  });

  it.each([
    { abortOnUnmount: false, strict: false },
    { abortOnUnmount: true, strict: false },
    { abortOnUnmount: false, strict: true },
    { abortOnUnmount: true, strict: true },
  ])("shows the result of a call that is made on mounting, with %o", async ({ abortOnUnmount, strict }) => {
    const { server, view, page } = await open();
    await page.evaluate(
      async ({ abortOnUnmount, strict }) => {
        const { h, createClient, mount, provided, components } = lab;
        await createClient().connect();
        mount(provided(h(components.Loader, { options: { abortOnUnmount } })), { strict });
      },
      { abortOnUnmount, strict },
    );
    const calls = await server.waiting.take(strict ? 2 : 1);
    await view.shows("pending");
    for (const [at, waiting] of calls.entries()) waiting.open(`answer ${at + 1}`);
    await view.shows(`answer ${calls.length}`);
  });

  /** A page with an `EitherCaller`, connected, which begins with `wait`. */
  async function withEither(strict: boolean) {
    const { server, view, page } = await open();
    const change = (method: "pin" | "wait") =>
      page.evaluate(
        ({ method, strict }) => {
          const { React, h, root, createClient, mount, provided, components, flushSync } = lab;
          if (!root) createClient();
          const tree = provided(h(components.EitherCaller, { method }));
          flushSync(() => (root ?? mount(null)).render(strict ? h(React.StrictMode, null, tree) : tree));
        },
        { method, strict },
      );
    await change("wait");
    await server.connections.next();
    await page.evaluate(() => lab.client.connect());
    const wait = async () => {
      const settled = page.evaluate(async () => (await lab.callEither!("a")).success);
      settled.catch(() => {});
      return { waiting: await server.waiting.next(), settled };
    };
    const pin = () => page.evaluate(async () => (await lab.callEither!({ text: "b" })).success);
    return { view, change, wait, pin };
  }
  const PINNED = ["pin: done undefined undefined", "pin: pending undefined undefined", "pin: done pinned b undefined"];

  it.each([
    { answer: "answer", shown: "done answer undefined", strict: false },
    { answer: "answer", shown: "done answer undefined", strict: true },
    { answer: "full", shown: "done undefined FULL", strict: false },
    { answer: "full", shown: "done undefined FULL", strict: true },
  ])("shows none of “$shown” under another method (StrictMode: $strict)", async ({ answer, shown, strict }) => {
    const { view, change, wait, pin } = await withEither(strict);
    const { waiting, settled } = await wait();
    waiting.open(answer);
    expect(await settled).toBe(answer !== "full");
    await view.shows(shown);
    await change("pin");
    expect(await pin()).toBe(true);
    await view.shows("done pinned b undefined");
    await view.logged(`wait: ${NOTHING}`, "wait: pending undefined undefined", `wait: ${shown}`, ...PINNED);
  });

  it.each([
    { answer: "answer", isFirst: true, strict: false },
    { answer: "answer", isFirst: false, strict: false },
    { answer: "answer", isFirst: true, strict: true },
    { answer: "full", isFirst: true, strict: false },
    { answer: "full", isFirst: false, strict: false },
    { answer: "full", isFirst: false, strict: true },
  ])("a call that is pending when its method changes settles for its caller only, with %o", async (one) => {
    const { view, change, wait, pin } = await withEither(one.strict);
    const { waiting, settled } = await wait();
    await view.shows("pending undefined undefined");
    await change("pin");
    const settle = async () => {
      waiting.open(one.answer);
      expect(await settled).toBe(one.answer !== "full");
      await view.settle();
    };
    if (one.isFirst) await settle();
    expect(await pin()).toBe(true);
    await view.shows("done pinned b undefined");
    if (!one.isFirst) await settle();
    await view.shows("done pinned b undefined");
    await view.logged(`wait: ${NOTHING}`, "wait: pending undefined undefined", ...PINNED);
  });
});
