import { describe, expect, it, onTestFinished } from "vitest";
import { Outbox } from "../../src/connection/outbox.js";
import { ExtApi, serveExt } from "../support/extApi.js";
import { Queue } from "../support/queue.js";
import { RawPeer, RawServer } from "../support/rawPeer.js";
import { recordingLogger } from "../support/server.js";

const MAX_BYTES = 65_536;
const reply = (id: number, text: string) => `s:Ext.echo:${id}:{"success":true,"type":"OK","data":"${text}"}`;

/** The WebSocket messages that an outbox sends for the messages of one tick. */
function joined(messages: readonly string[]): readonly string[] {
  const batches: string[] = [];
  const send = (texts: readonly string[]) => void batches.push(...texts);
  const outbox = new Outbox({ send, attach() {}, close() {}, terminate() {} }, MAX_BYTES);
  for (const message of messages) outbox.push(message);
  outbox.flushNow();
  return batches;
}

describe("capabilities", () => {
  it("are answered to those that announced them, as far as both have them", async () => {
    const { url } = await serveExt();
    const all = await RawPeer.connectWith(url, "batch alive cancel drain");
    expect(all.accepted).toBe('k:::{"ws-capabilities":"batch=65536 alive=25000,10000 cancel drain"}');
    expect((await RawPeer.connectWith(url, "cancel telepathy")).accepted).toBe('k:::{"ws-capabilities":"cancel"}');
    expect((await RawPeer.connectWith(url, "telepathy")).accepted).toBe("k:::null");
    expect((await RawPeer.connectWith(url, "")).accepted).toBe("k:::null");
    await RawPeer.connect(url, { "ws-capabilities": 7 });
  });

  it("can be turned off on either end", async () => {
    const { url } = await serveExt({ capabilities: [] });
    expect((await RawPeer.connectWith(url, "batch cancel")).accepted).toBe("k:::null");
    const few = await serveExt({ capabilities: ["cancel", "alive"], heartbeat: false });
    expect((await RawPeer.connectWith(few.url, "batch alive cancel")).accepted).toBe(
      'k:::{"ws-capabilities":"cancel"}',
    );

    const server = await RawServer.start();
    const client = ExtApi.createClient({ url: server.url, capabilities: [], logger: recordingLogger() });
    onTestFinished(() => client.close());
    const accepted = server.accept();
    await client.connect();
    expect((await accepted).handshake).toBe("h:::{}");
  });

  it("are not shown to middlewares", async () => {
    const seen: object[] = [];
    const { url } = await serveExt({ middlewares: [{ parseHandshake: ({ headers }) => void seen.push(headers) }] });
    await RawPeer.connectWith(url, "batch");
    expect(seen).toEqual([{}]);
  });
});

describe("batch", () => {
  it("sends replies of one tick in one WebSocket message, in order", async () => {
    const { url } = await serveExt();
    const { peer } = await RawPeer.connectWith(url, "batch");
    peer.send([1, 2, 3].map((id) => `r:Ext.echo:${id}:"${id}"`).join("\n"));
    expect(await peer.next()).toBe([reply(1, "1"), reply(2, "2"), reply(3, "3")].join("\n"));
    peer.send('r:Ext.echo:4:"4"');
    expect(await peer.next()).toBe(reply(4, "4"));
  });

  it("sends separate messages to a peer that has not agreed, and refuses batches from it", async () => {
    const { url, events } = await serveExt();
    const peer = await RawPeer.connect(url);
    peer.sendTogether('r:Ext.echo:1:"1"', 'r:Ext.echo:2:"2"');
    expect(await peer.frames.take(2)).toEqual([reply(1, "1"), reply(2, "2")]);
    peer.send('m:Ext.note::"a"\nm:Ext.note::"b"');
    expect(await peer.framesUntilAnswerTo('r:Ext.echo:3:"3"')).toEqual([]);
    expect(events.unseen).toEqual([]);
  });

  it("sends calls of one tick in one message from a client, and pushes of one tick from a server", async () => {
    const { base, url, outgoings } = await serveExt();
    const client = ExtApi.createClient({ url: base, logger: recordingLogger() });
    onTestFinished(() => client.close());
    const news = new Queue<string>();
    client.incoming.on({ news: ({ text }) => void news.push(text) });
    await client.connect();
    const outgoing = await outgoings.next();
    for (const text of ["a", "b", "c"]) outgoing.news({ text });
    expect(await news.take(3)).toEqual(["a", "b", "c"]);
    expect(await Promise.all(["1", "2", "3"].map((text) => client.outgoing.echo(text)))).toEqual(["1", "2", "3"]);

    const { peer } = await RawPeer.connectWith(url, "batch");
    const raw = await outgoings.next();
    for (const text of ["a", "b"]) raw.news({ text });
    expect(await peer.next()).toBe('m:Ext.news::{"text":"a"}\nm:Ext.news::{"text":"b"}');
  });

  it("is at most 64 KiB, in bytes of any characters, and a larger message is sent alone", () => {
    const bytes = (text: string) => Buffer.byteLength(text);
    for (const letter of ["x", "é", "\u20ac", "\u{1f98a}"]) {
      const messages = Array.from({ length: 500 }, (_, i) => `${i}${letter.repeat(i)}`);
      const large = letter.repeat(MAX_BYTES);
      const all = [...messages, large, "last"];
      const batches = joined(all);
      expect(batches.join("\n")).toBe(all.join("\n"));
      for (const batch of batches) if (batch !== large) expect(bytes(batch)).toBeLessThanOrEqual(MAX_BYTES);
      expect(batches).toContain(large);
      expect(batches.length).toBeGreaterThan(2);
    }
    expect(joined(["a"])).toEqual(["a"]);
  });

  it("that exceeds the announced count is treated as one message", async () => {
    const { url, events } = await serveExt();
    const { peer } = await RawPeer.connectWith(url, "batch");
    const note = 'm:Ext.note::"a"';
    const notes = (bytes: number) => `${note}${"\n".repeat(bytes - 2 * note.length)}${note}`;
    peer.send(notes(MAX_BYTES));
    expect(await events.take(2)).toEqual(["note a", "note a"]);
    peer.send(notes(MAX_BYTES + 1), notes(1_000_000));
    expect(await peer.framesUntilAnswerTo('r:Ext.echo:1:"x"', true)).toEqual([]);
    expect(events.unseen).toEqual([]);
    // A large message on its own contains no line feed.
    peer.send(`r:Ext.echo:2:"${"x".repeat(MAX_BYTES)}"`);
    expect(await peer.next()).toMatch(/^s:Ext\.echo:2:\{"success":true/);
  });

  it("follows what the peer announced as its own limit", async () => {
    const { url } = await serveExt();
    const { peer } = await RawPeer.connectWith(url, "batch=300");
    peer.send([1, 2, 3].map((id) => `r:Ext.echo:${id}:"${id}"`).join("\n"));
    expect(await peer.frames.take(3)).toEqual([reply(1, "1"), reply(2, "2"), reply(3, "3")]);
  });
});
