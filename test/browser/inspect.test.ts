import type * as entry from "@grest-ts/websocket/inspect";
import type { GGInspectedFrame, GGInspection } from "@grest-ts/websocket/inspect";
import { build } from "esbuild";
import { beforeAll, expect, it } from "vitest";
import { root } from "../support/paths.js";
import type { AppPage } from "./support/appPage.js";
import { describeInChromium } from "./support/inChromium.js";

declare const inspector: typeof entry;
declare const inspections: GGInspection[];

const LETTERS: Readonly<Record<string, string>> = {
  handshake: "h",
  accepted: "k",
  message: "m",
  request: "r",
  reply: "s",
};

/** What is the same of a frame on the wire and of one that was seen. */
const brief = (text: string) => {
  const [letter, path, id] = text.split(":");
  return { letter, path: path || undefined, id: id || undefined, bytes: Buffer.byteLength(text) };
};
const briefOf = ({ kind, path, id, bytes }: GGInspectedFrame) => ({ letter: LETTERS[kind], path, id, bytes });

for (const conditions of [[], ["development"]]) {
  describeInChromium(
    `inspect() in a page, ${conditions[0] ?? "production"}`,
    ({ open, connected }) => {
      let script: string;

      // A build of its own, as a program has it: it shares no class with that of the page.
      beforeAll(async () => {
        const { outputFiles } = await build({
          stdin: {
            contents: 'export * from "./dist/index.inspect.js"',
            resolveDir: root,
          },
          bundle: true,
          write: false,
          minify: true,
          platform: "browser",
          format: "iife",
          globalName: "inspector",
          target: "es2022",
          tsconfigRaw: {},
        });
        script = `${outputFiles[0]?.text}; globalThis.inspections = [];`;
      });

      const inspectIn = async (app: AppPage, options: entry.GGInspectOptions = {}) => {
        await app.page.evaluate(script.replace("var inspector", "globalThis.inspector"));
        await begin(app, options);
      };
      const begin = (app: AppPage, options: entry.GGInspectOptions = {}) =>
        app.page.evaluate((given) => void inspections.push(inspector.inspect(pageApp.client, given)), options);
      const recent = (app: AppPage, index = 0) => app.page.evaluate((at) => inspections[at]?.recent() ?? [], index);

      it("shows what the browser shows, in both ways, from the handshake on", async () => {
        const { server, app } = await open();
        await inspectIn(app);
        await app.connectAndHear();
        await app.page.evaluate(() =>
          Promise.all(["Ann", "é\u{1f98a}", "Bo"].map((name) => pageApp.client.outgoing.greet({ name }))),
        );
        const { outgoing } = await server.connections.next();
        expect(await outgoing.areYouThere({ text: "page" })).toBe(true);
        const frames = await recent(app);
        const [sent, received] = ["sent", "received"].map((way) => frames.filter(({ direction }) => direction === way));
        expect(sent?.map(briefOf)).toEqual((await app.sent.atLeast(5)).map(brief));
        expect(received?.map(briefOf)).toEqual((await app.received.atLeast(6)).map(brief));
        expect(frames.filter(({ batch }) => batch?.size === 3).length).toBeGreaterThanOrEqual(3);
        expect(JSON.stringify(frames)).not.toContain("Ann");
      });

      it("begins on a connection that is open, goes on over reconnects, and shows payloads when it is told to", async () => {
        const { server, app } = await connected({ reconnect: { initialDelayMs: 0, maxDelayMs: 0 }, token: "s3cret" });
        await inspectIn(app, { payloads: true });
        await app.greet("Ann");
        await server.dropAll();
        await app.heard("setup");
        await app.greet("Bo");
        const frames = (await recent(app)).filter(({ kind }) => kind !== "message");
        expect(frames.map(({ kind, payload }) => [kind, payload])).toEqual([
          ["request", { name: "Ann" }],
          ["reply", "Hello Ann"],
          ["close", undefined],
          ["handshake", expect.objectContaining({ authorization: "[redacted]" })],
          ["accepted", expect.anything()],
          ["request", { name: "Bo" }],
          ["reply", "Hello Bo"],
        ]);
        expect(JSON.stringify(frames)).not.toContain("s3cret");
      });

      it("takes everything back", async () => {
        const { app } = await connected();
        await inspectIn(app);
        await begin(app);
        const left = await app.page.evaluate(async () => {
          const { transport } = pageApp.client.incoming as unknown as { transport: { socket: WebSocket } };
          const names = () =>
            Object.getOwnPropertyNames(transport.socket).filter((name) => ["send", "close"].includes(name));
          const during = names();
          const handler = transport.socket.onmessage;
          for (const { stop } of inspections) stop();
          const socket = transport.socket;
          await pageApp.client.outgoing.greet({ name: "Cy" });
          return { during, after: names(), isOther: socket.onmessage !== handler };
        });
        expect(left).toEqual({ during: ["send", "close"], after: [], isOther: true });
        expect(await recent(app)).toEqual([]);
      });
    },
    conditions,
  );
}
