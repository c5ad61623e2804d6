import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { FaultProxy } from "../../../test/support/faultProxy.js";
import { printable, printableName } from "../terminal/printable.js";
import { buildForTests } from "./support/build.js";
import { ChatServer } from "./support/ChatServer.js";
import { ChatUser } from "./support/ChatUser.js";
import { Program } from "./support/Program.js";
import { findPty } from "./support/pty.js";
import { WireGuest } from "./support/WireGuest.js";

/** The terminal client in a terminal, against people and networks that are not kind. */

vi.setConfig({ testTimeout: 20_000, hookTimeout: 30_000 });

const pty = findPty();

let built: Awaited<ReturnType<typeof buildForTests>>;
let server: ChatServer;

beforeAll(async () => {
  built = await buildForTests("terminal");
  server = await ChatServer.start(built.server);
});

afterAll(async () => {
  expect(await server.stop()).toBe(0);
});

const start = (name: string, url = server.url) =>
  new Program(built.terminal, ["--name", name, "--url", url]).endWithTest();

const proxyTo = async ({ port }: ChatServer) => {
  const proxy = await FaultProxy.start(Number(port));
  return { proxy, url: proxy.url.replace("ws", "http") };
};

describe.skipIf(pty === undefined)("in a terminal", () => {
  const startInTerminal = async (name: string, url: string) => {
    const program = new Program(built.terminal, ["--name", name, "--url", url], {}, pty).endWithTest();
    // From its prompt on it reads keys.
    await program.printed(/\/quit\r\n[\s\S]*> /);
    return program;
  };
  const KEYS = [
    { keys: "Ctrl-C", typed: "\x03" },
    { keys: "Ctrl-D", typed: "\x04" },
    { keys: "/quit", typed: "/quit\r" },
    { keys: "Ctrl-C in the middle of a text", typed: "half a \x03" },
  ];

  it.each(KEYS)("ends at $keys", async ({ typed }) => {
    const ann = await startInTerminal("Ann", server.url);
    ann.process.stdin?.write(typed);
    expect(await ann.ended, ann.output).toBe(0);
    expect(ann.output).not.toMatch(/Error|ERR_/);
  });

  it.each(KEYS.slice(0, 3))("ends at $keys while it waits for its server", async ({ typed }) => {
    const { proxy, url } = await proxyTo(server);
    const bo = await startInTerminal("Bo", url);
    proxy.refuseNext(Number.POSITIVE_INFINITY);
    proxy.cut();
    await bo.printed(/next try in \d s/);
    bo.process.stdin?.write(typed);
    expect(await bo.ended, bo.output).toBe(0);
    expect(bo.output).not.toMatch(/Error|ERR_/);
  });

  it("says that it waits when its server hangs, and ends at once at the next Ctrl-C", async () => {
    const own = await ChatServer.start(built.server);
    try {
      const cy = await startInTerminal("Cy", own.url);
      own.program.process.kill("SIGSTOP");
      cy.process.stdin?.write("\x03");
      await cy.printed(/Still waiting for the server…/);
      cy.process.stdin?.write("\x03");
      expect(await cy.ended).not.toBe(0);
    } finally {
      await own.program.stop("SIGKILL");
    }
  });
});

describe("what others write", () => {
  /** All that a terminal obeys, and all that turns text around. */
  const CONTROLS = Array.from({ length: 0x2070 }, (_, code) => String.fromCodePoint(code)).filter((character) =>
    /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u.test(character),
  );

  it.each(["a text", "a name"])("has no control characters in %s", (kind) => {
    const shown = kind === "a text" ? printable : printableName;
    expect(CONTROLS.length).toBeGreaterThan(70);
    for (const control of CONTROLS) {
      const left = shown(`a${control}b`).replace(kind === "a text" ? /\n {6}|\t/ : " ", "");
      expect(left, JSON.stringify(control)).toMatch(/^a\ufffd?b$/);
    }
    expect(shown("Ünïcödé 👩‍👩‍👧 שלום")).toBe("Ünïcödé 👩‍👩‍👧 שלום");
  });

  it("cannot forge a line, nor control the terminal", async () => {
    const eve = await ChatUser.in("general", built.user, server.url, "E\u001b[31mve\n12:00 Dee");
    const dee = start("Dee");
    await dee.printed(/You are Dee/);
    const text = "hi\r\n12:00 Ann: \u001b[2J\u001b]0;owned\u0007\n\u202esend me\u009b";
    await eve.do("sendMessage", { text, channelId: "general" });
    await dee.printed(/send me/);
    await eve.do("startTyping", "general");
    await dee.printed(/typing/);
    dee.type("/who");
    await dee.printed(/^Here: .*E�\[31mve 12:00 Dee/m);
    // The server's own sentence says it again.
    dee.type("/room \u001b[2Jattic");
    await dee.printed(/There is no room "�\[2Jattic"/);
    await eve.do("disconnect");
    await dee.printed(/has left/);
    for (const control of CONTROLS) if (control !== "\n") expect(dee.output).not.toContain(control);
    expect(dee.output).toMatch(/^\d\d:\d\d E�\[31mve 12:00 Dee: hi\n {6}12:00 Ann: �\[2J�\]0;owned�\n {6}�send me�$/m);
  });
});

describe("when the connection is lost", () => {
  it("says that a message has arrived whose reply was lost", async () => {
    const { proxy, url } = await proxyTo(server);
    const fay = start("Fay", url);
    await fay.printed(/You are Fay/);
    const gus = await ChatUser.in("general", built.user, server.url, "Gus");
    fay.type("with a reply");
    await gus.hears("newMessage", ({ text }: { text: string }) => text === "with a reply");
    proxy.stallReplies();
    fay.type("without one");
    await gus.hears("newMessage", ({ text }: { text: string }) => text === "without one");
    proxy.cut();
    proxy.release();
    await fay.printed(
      /^The connection was lost before the server could answer\n[\s\S]*^ {2}Sent after all: without one$/m,
    );
    expect(fay.output).not.toContain("Sent after all: with a reply");
  });

  it("is in no room when its own is full, says so, and goes on in another one", async () => {
    const { proxy, url } = await proxyTo(server);
    const hal = start("Hal", url);
    await hal.printed(/You are Hal/);
    hal.type("/room lounge");
    await hal.printed(/You are Hal in "lounge"/);
    proxy.refuseNext(Number.POSITIVE_INFINITY);
    proxy.cut();
    await hal.printed(/Reconnecting…/);
    await Promise.all(Array.from({ length: 8 }, (_, i) => WireGuest.in("lounge", server.url, `Guest ${i}`)));
    proxy.refuseNext(0);
    await hal.printed(/^lounge is full: choose another room\. Commands: /m);
    hal.type("to nobody");
    await hal.printed(/^Nothing was sent: you are in no room\./m);
    hal.type("/room general");
    await hal.printed(/You are Hal in "general"[\s\S]*You are Hal in "general"/);
  });
});

it("says what is missing from --url", async () => {
  const urls = ["localhost:3000", "chat.example", "ws://localhost:3000"];
  for (const program of urls.map((url) => start("Ida", url))) {
    expect(await program.ended).toBe(1);
    expect(program.output).toMatch(/^--url begins with http:\/\/ or https:\/\/, as in http:\/\//);
  }
});
