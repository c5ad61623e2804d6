import { toAsyncApi } from "@grest-ts/websocket/asyncapi";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { haveEcosystem } from "../support/ecosystem.js";
import { RawPeer } from "../support/rawPeer.js";
import { serveApi } from "../support/server.js";
import { GONE, Kinds, LIMITED } from "./support/contracts.js";
import { valuesOf } from "./support/generate.js";
import { FrameChecker } from "./support/officialParser.js";

const document = toAsyncApi([Kinds], { title: "Test", version: "1.0.0" });
const channel = document.channels.Kinds!;

/** What the document states beside what a real server takes and sends. */
describe.skipIf(!haveEcosystem())("the frames of a document", () => {
  const checker = new FrameChecker(document);

  /** A server whose handlers give back their input, and a peer that is accepted. */
  async function connected(scopes: readonly string[] = ["connect", "rooms:write", "a", "admin"]) {
    const { base, server } = await serveApi(
      Kinds,
      (incoming, outgoing) => {
        incoming.on({
          call: (data) => {
            if (data.text === "limited") throw new LIMITED({ retryMs: 5 as never });
            if (data.text === "gone") throw new GONE({ displayMessage: "Gone" });
            if (data.text === "boom") throw new Error("boom");
            return data;
          },
          ask: () => ({ name: "root", children: [{ name: "leaf", children: [] }] }),
          note: () => {},
          ping: () => void outgoing.bare(),
          maybe: (data) => data,
          scoped: () => true,
          combined: () => true,
          anyone: () => true,
          opaque: (data) => data,
          both: () => void outgoing.both(5),
        });
      },
      { permissionResolver: () => new Set(scopes) },
    );
    const url = `${base}${channel.address}?room=general`;
    expect(server.path).not.toBe(channel.address); // The address is encoded as URLs are.
    return { peer: await RawPeer.connect(url, { "x-token": "t" }), url };
  }

  it("are taken by the server, and so are their replies by the document, whatever the payload", async () => {
    const { peer } = await connected();
    const requests = Object.entries(channel.messages).filter(
      ([
        key,
        {
          "x-frame": { type },
        },
      ]) => key.startsWith("clientToServer.") && type === "r",
    );
    expect(requests.map(([key]) => key)).toContain("clientToServer.call");
    for (const [
      key,
      {
        payload,
        "x-frame": { text, payload: presence },
      },
    ] of requests) {
      await fc.assert(
        fc.asyncProperty(payload ? valuesOf(payload, document) : fc.constant(undefined), async (value) => {
          const json = value === undefined || presence === "never" ? "" : JSON.stringify(value);
          const request = text.replace("{id}", "1").replace("{payload}", () => json);
          expect(checker.faultsOf(request)).toEqual([]);
          peer.send(request);
          const reply = await peer.next();
          expect(reply, `${key} ${json}`).toMatch(/^s:[^:]*:1:\{"success":true,"type":"OK"/);
          expect(checker.faultsOf(reply)).toEqual([]);
        }),
        { numRuns: 40 },
      );
    }
  });

  it("state each error, with its data", async () => {
    const { peer } = await connected();
    const call = channel.messages["clientToServer.call"]!;
    const [sample] = fc.sample(valuesOf(call.payload, document), { numRuns: 1, seed: 1 });
    for (const [given, error] of Object.entries({
      limited: "ASYNCAPI_LIMITED",
      gone: "ASYNCAPI_GONE",
      boom: "SERVER_ERROR",
      "": "VALIDATION_ERROR",
    })) {
      peer.send(`r:Kinds.call:1:${JSON.stringify({ ...Object(sample), text: given })}`);
      const reply = await peer.next();
      expect(reply).toContain(`"type":"${error}"`);
      expect(checker.faultsOf(reply)).toEqual([]);
    }
    // One that is not stated for this method.
    expect(checker.faultsOf('s:Kinds.ask:1:{"success":false,"type":"ASYNCAPI_GONE","statusCode":410}')).not.toEqual([]);
  });

  it("state what a missing permission is answered with", async () => {
    const { peer } = await connected(["connect"]);
    for (const request of ['r:Kinds.scoped:1:"x"', "r:Kinds.combined:2:"]) {
      peer.send(request);
      const reply = await peer.next();
      expect(reply).toContain('"type":"FORBIDDEN"');
      expect(checker.faultsOf(reply)).toEqual([]);
    }
  });

  it("state what the server sends", async () => {
    const { peer } = await connected();
    peer.send("m:Kinds.ping::", 'm:Kinds.both::"x"');
    const pushes = [await peer.next(), await peer.next()];
    expect(pushes).toEqual(["m:Kinds.bare::", "m:Kinds.both::5"]);
  });

  it("state the handshake, and a refused one", async () => {
    const { url } = await connected();
    for (const headers of ["{}", '{"ws-capabilities":"batch cancel"}']) {
      const peer = await RawPeer.open(url);
      peer.send(`h:::${headers}`);
      expect(checker.faultsOf(await peer.next())).toEqual([]);
    }
    expect(checker.faultsOf('h:::{"x-token":"t","anything":"else"}')).toEqual([]);
    expect(checker.faultsOf('h:::{"anything":"else"}')).not.toEqual([]);
    const refused = (await serveApi(Kinds, () => {}, { permissionResolver: () => new Set<string>() })).base;
    const stranger = await RawPeer.open(`${refused}${channel.address}?room=general`);
    stranger.send('h:::{"x-token":"t"}');
    const refusal = await stranger.next();
    expect(refusal).toMatch(/^x:::/);
    expect(checker.faultsOf(refusal)).toEqual([]);
  });

  it("are not just anything", () => {
    for (const frame of [
      "m:Kinds.unknown::",
      "m:Kinds.note::",
      "m:Kinds.ping::1",
      "m:Kinds.note:7:{}",
      'm:Kinds.note::{"name":"x"}',
      'm:Kinds.note::{"name":"x","children":[{"name":1,"children":[]}]}',
      'r:Kinds.scoped::"x"',
      "r:Kinds.scoped:1:5",
      's:Kinds.scoped:1:{"success":true,"type":"OK"}',
      's:Kinds.scoped:1:{"success":true,"type":"OK","data":1}',
    ])
      expect(checker.faultsOf(frame), frame).not.toEqual([]);
  });
});
