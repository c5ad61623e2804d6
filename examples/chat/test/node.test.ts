import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { Balancer } from "../tools/cluster/Balancer.js";
import { buildForTests } from "./support/build.js";
import { ChatServer } from "./support/ChatServer.js";
import { ChatUser } from "./support/ChatUser.js";
import { Program } from "./support/Program.js";
import { WireGuest } from "./support/WireGuest.js";
import { SERVER_FRAMES, strangeFrames } from "./support/wire.js";

/** The built chat, with the packages imported by name: every program here runs in its own process. */

// Each test starts several processes, which is slow on a loaded machine.
vi.setConfig({ testTimeout: 20_000, hookTimeout: 30_000 });

let built: Awaited<ReturnType<typeof buildForTests>>;
let server: ChatServer;

beforeAll(async () => {
  built = await buildForTests("node");
  server = await ChatServer.start(built.server);
});

afterAll(async () => {
  expect(await server.stop()).toBe(0);
});

const enter = (room: string, name: string) => ChatUser.in(room, built.user, server.url, name);

describe("two people", () => {
  it("see each other, type, write and read", async () => {
    const ann = await enter("general", "Ann");
    const bo = await enter("general", "Bo");
    await ann.hears("presence", ({ online }: { online: { name: string }[] }) => online.some((o) => o.name === "Bo"));

    await bo.do("startTyping", "general");
    expect(await ann.hears("typing")).toEqual({ userId: "bo", name: "Bo", channelId: "general" });

    const reply = (await bo.do("sendMessage", { text: "  Hello, Ann!  ", channelId: "general" })) as object;
    expect(reply).toEqual({ success: true, messageId: expect.any(String) });
    const message = (await ann.hears("newMessage")) as { id: string };
    expect(message).toEqual({
      id: (reply as { messageId: string }).messageId,
      text: "Hello, Ann!",
      senderId: "bo",
      senderName: "Bo",
      channelId: "general",
      timestamp: expect.any(Number),
    });

    await ann.do("markAsRead", message.id);
    expect(await bo.hears("messageRead")).toEqual({ messageId: message.id, userId: "ann", name: "Ann" });
    expect(await ann.do("history", "general")).toContainEqual(message);

    await bo.do("disconnect");
    await ann.hears("presence", ({ online }: { online: { name: string }[] }) => online.every((o) => o.name !== "Bo"));
  });

  it("receive nothing from another room", async () => {
    const dee = await enter("general", "Dee");
    const eli = await enter("lounge", "Eli");
    await eli.do("sendMessage", { text: "in the lounge", channelId: "lounge" });
    await expect(eli.do("sendMessage", { text: "x", channelId: "general" })).rejects.toMatchObject({
      type: "NOT_IN_ROOM",
      context: { displayMessage: 'Join "general" before you write in it' },
    });
    await eli.do("joinRoom", "general");
    await eli.do("sendMessage", { text: "in general", channelId: "general" });
    expect(await dee.hears("newMessage")).toMatchObject({ text: "in general" });
  });

  it("cannot have the same name at the same time", async () => {
    const fay = await enter("general", "Fay");
    const other = new ChatUser(built.user, server.url);
    await expect(other.do("logIn", "FAY")).rejects.toMatchObject({ type: "EXISTS" });
    await fay.do("disconnect");
    await expect(other.do("logIn", "FAY")).resolves.toMatchObject({ user: { id: "fay", name: "FAY" } });
  });
});

describe("rejects", () => {
  it("a room that does not exist", async () => {
    const gus = await enter("general", "Gus");
    const expected = { type: "NOT_FOUND", context: { displayMessage: 'There is no room "attic"' } };
    await expect(gus.do("joinRoom", "attic")).rejects.toMatchObject(expected);
    await expect(gus.do("history", "attic")).rejects.toMatchObject(expected);
  });

  it("the ninth guest in a room of eight", async () => {
    await Promise.all(Array.from({ length: 8 }, (_, i) => WireGuest.in("lounge", server.url, `Guest ${i}`)));
    const ninth = new ChatUser(built.user, server.url);
    await ninth.do("logIn", "Ninth");
    await ninth.do("connect");
    await expect(ninth.do("joinRoom", "lounge")).rejects.toMatchObject({ type: "ROOM_FULL" });
  });

  it("an empty name and an empty message", async () => {
    const nameless = new ChatUser(built.user, server.url);
    await expect(nameless.do("logIn", "  ")).rejects.toMatchObject({ type: "VALIDATION_ERROR" });
    const ida = await enter("general", "Ida");
    await expect(ida.do("sendMessage", { text: " ", channelId: "general" })).rejects.toMatchObject({
      type: "VALIDATION_ERROR",
      data: [{ path: "text", message: "Value must not be empty" }],
    });
  });

  it("a socket and an HTTP call without a token", async () => {
    const stranger = new ChatUser(built.user, server.url);
    const expected = { type: "NOT_AUTHORIZED", context: { displayMessage: "Missing bearer token" } };
    await expect(stranger.do("connect")).rejects.toMatchObject(expected);
    await expect(stranger.do("rooms")).rejects.toMatchObject(expected);
  });
});

describe("on the wire", () => {
  it("every frame is as in 0.0.39", async () => {
    const guest = await WireGuest.in("general", server.url, "Raw");
    expect(guest.frames[0]).toBe("k:::null");
    guest.send(`r:ChatApi.sendMessage:a-7:{"text":"hi","channelId":"general"}`);
    expect(await guest.receives("s:ChatApi.sendMessage")).toMatch(
      /^s:ChatApi\.sendMessage:a-7:\{"success":true,"type":"OK","data":\{"success":true,"messageId":"[-0-9a-f]+"\}\}$/,
    );
    guest.send(`r:ChatApi.joinRoom:8:{"roomId":"attic"}`);
    await guest.receives("s:ChatApi.joinRoom:8:");
    guest.send(`r:ChatApi.sendMessage:9:{"text":"","channelId":"general"}`);
    const invalid = await guest.receives("s:ChatApi.sendMessage:9:");
    expect(invalid).toMatch(
      /^s:ChatApi\.sendMessage:9:\{"success":false,"type":"VALIDATION_ERROR","data":\[\{"path":"text","code":"invalid\.string\.nonEmpty","message":"Value must not be empty","value":""\}\],"statusCode":422,"context":\{"displayMessage":"Invalid arguments","timestamp":\d{13},"ref":"ERR_REF_\w+"\}\}$/,
    );
    const others = guest.frames.filter((frame) => frame !== invalid && !frame.startsWith("s:ChatApi.sendMessage:a-7:"));
    expect(strangeFrames(others, SERVER_FRAMES)).toEqual([]);
  });

  it("a wrong token is answered with an x frame and 4001", async () => {
    const guest = await WireGuest.dial(server.url);
    guest.send(`h:::{"authorization":"Bearer wrong"}`);
    const [code] = await once(guest.socket, "close");
    expect(code).toBe(4001);
    expect(guest.frames).toEqual([expect.stringMatching(/^x:::\{"success":false,"type":"NOT_AUTHORIZED"/)]);
    expect(strangeFrames(guest.frames, SERVER_FRAMES)).toEqual([]);
  });
});

describe("a user whose frames are at once", () => {
  it("is in the room that was joined last, and in no other", async () => {
    const nan = await WireGuest.in("general", server.url, "Nan");
    for (let round = 0; round < 6; round++) {
      const rooms =
        [
          ["lounge", "general"],
          ["lounge", "general", "lounge"],
          ["general", "lounge", "general"],
        ][round % 3] ?? [];
      const guest = await WireGuest.in("general", server.url, `Quick ${round}`);
      const last = rooms.at(-1) ?? "";
      // One that fails moves nobody.
      const replies = [...rooms, "attic"].map((roomId, at) => guest.call("joinRoom", `j${at}`, { roomId }));
      expect((await Promise.all(replies)).map((reply) => reply.includes('"success":true'))).toEqual([
        ...rooms.map(() => true),
        false,
      ]);
      for (const room of ["general", "lounge"]) {
        const said = await guest.call("sendMessage", room, { text: `from ${round}`, channelId: room });
        expect(said, room).toContain(room === last ? '"success":true' : '"type":"NOT_IN_ROOM"');
      }
      // Nothing of the other room arrives: what is said there first is missing when what is said here has arrived.
      await nan.call("joinRoom", `away${round}`, { roomId: last === "general" ? "lounge" : "general" });
      await nan.call("sendMessage", `a${round}`, {
        text: `not for ${round}`,
        channelId: last === "general" ? "lounge" : "general",
      });
      await nan.call("joinRoom", `here${round}`, { roomId: last });
      await nan.call("sendMessage", `b${round}`, { text: `for ${round}`, channelId: last });
      await expect.poll(() => guest.frames.some((frame) => frame.includes(`"for ${round}"`))).toBe(true);
      expect(guest.frames.filter((frame) => frame.includes(`"not for ${round}"`))).toEqual([]);
      guest.socket.close();
    }
  });

  it("says a message once that is sent again by its id, and takes no message's place by its id", async () => {
    const [eve, bob] = await Promise.all(["Eve", "Bob"].map((name) => WireGuest.in("general", server.url, name)));
    const id = randomUUID();
    const message = { text: "said once", channelId: "general", messageId: id };
    expect(await eve?.call("sendMessage", "1", message)).toContain(id);
    expect(await eve?.call("sendMessage", "2", message)).toContain(id);
    await bob?.call("sendMessage", "3", { ...message, text: "in its place" });
    await bob?.call("sendMessage", "4", { text: "the last one", channelId: "general" });
    await expect.poll(() => eve?.frames.some((frame) => frame.includes("the last one"))).toBe(true);
    const pushed = eve?.frames.filter((frame) => frame.startsWith("m:ChatApi.newMessage") && frame.includes(id));
    expect(pushed).toHaveLength(1);
    expect(pushed?.[0]).toContain('"said once"');
    const odd = await eve?.call("sendMessage", "5", { ...message, messageId: "<b>" });
    expect(odd).toContain('"type":"VALIDATION_ERROR"');
  });
});

describe("a name", () => {
  const logIn = async (input: unknown) => {
    const response = await fetch(`${server.url}/api/auth/login`, { method: "POST", body: JSON.stringify(input) });
    return (await response.json()) as { type: string; data: { token: string } };
  };

  it.each(["\u200b", "\u200b \u200d", "\u202e\u202c", "\u00ad", "\u2028\u3000", "\ufeff\u0007"])(
    "that cannot be seen is none: %j",
    async (name) => {
      expect((await logIn({ name })).type).toBe("VALIDATION_ERROR");
    },
  );

  it.each(["\u202eAnn", "👩‍👩‍👧", "مرحبا", "é"])("that can be seen is one: %s", async (name) => {
    expect((await logIn({ name })).type).toBe("OK");
  });

  it("is of the same user in each window that was forgotten with the same token, and of no other", async () => {
    const earlierToken = randomUUID();
    const first = await logIn({ name: "Two Windows", earlierToken });
    const guest = await WireGuest.dial(server.url);
    guest.send(`h:::{"authorization":"Bearer ${first.data.token}"}`);
    await guest.receives("k:");
    expect((await logIn({ name: "Two windows", earlierToken })).data.token).toBe(first.data.token);
    // Asked whether it is there, it does not answer; it is closed by a log-in that is not the same.
    const other = await logIn({ name: "Two Windows", earlierToken: randomUUID() });
    expect(other.data.token).not.toBe(first.data.token);
    if (guest.socket.readyState !== guest.socket.CLOSED) await once(guest.socket, "close");
  });
});

describe("the server", () => {
  it("reports its metrics to Prometheus", async () => {
    await enter("general", "Kim");
    const response = await fetch(`${server.url}/metrics`);
    expect(response.headers.get("content-type")).toMatch(/^text\/plain/);
    const text = await response.text();
    expect(text).toMatch(/^websocket_connections_active\{api="ChatApi",path="\/ws\/chat"\} [1-9]/m);
    expect(text).toMatch(
      /^websocket_requests_total\{api="ChatApi",path="\/ws\/chat",method="ChatApi\.joinRoom",result="OK"\} [1-9]/m,
    );
    expect(text).toMatch(/^http_requests_total\{api="AuthApi",method="logIn",result="OK"\} [1-9]/m);
  });

  it("serves the page and its files, and nothing else", async () => {
    const page = await fetch(server.url);
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    for (const [, path] of (await page.text()).matchAll(/(?:src|href)="([^"]+)"/g)) {
      expect((await fetch(server.url + path)).status, path).toBe(200);
    }
    expect((await fetch(`${server.url}/..%2fserver%2fmain.js`)).status).toBe(404);
  });

  it("reports that its port is taken", async () => {
    const second = new Program(built.server, [], { PORT: server.port, REDIS_URL: "" });
    expect(await second.ended).toBe(1);
    expect(second.output.trim()).toBe(
      `Port ${server.port} is taken. Stop the program that uses it, or choose another: PORT=3001 npm start`,
    );
  });

  it("reports that PORT is no port number", async () => {
    const server = new Program(built.server, [], { PORT: "many", REDIS_URL: "" });
    expect(await server.ended).toBe(1);
    expect(server.output.trim()).toMatch(/^.*PORT is not a port number: "many"\.$/);
  });

  it("stops once at two signals", async () => {
    const own = await ChatServer.start(built.server);
    // Its connection is open until it has answered, so that it does not end in between.
    await ChatUser.in("general", built.user, own.url, "Ria");
    own.program.process.kill("SIGINT");
    expect(await own.program.stop("SIGTERM")).toBe(0);
    expect(own.program.output.match(/Draining|Stopped/g)).toEqual(["Draining", "Stopped"]);
  });

  it.each(["SIGTERM", "SIGINT"] as const)(
    "drains at %s: it answers what has arrived, and keeps its word",
    async (signal) => {
      const own = await ChatServer.start(built.server);
      const lea = await ChatUser.in("general", built.user, own.url, "Lea");
      const max = await ChatUser.in("general", built.user, own.url, "Max");
      const sending = Array.from({ length: 200 }, (_, i) =>
        lea.do("sendMessage", { text: String(i), channelId: "general" }).then(
          () => String(i),
          () => undefined,
        ),
      );
      await max.hears("newMessage");
      expect(await own.program.stop(signal)).toBe(0);
      expect(own.program.output).toMatch(/Draining: clients finish what is under way\nStopped\n$/);
      expect(await lea.hears("close")).toBe("drop");
      expect(await max.hears("close")).toBe("drop");
      // Whatever was answered has reached the other one; the first was taken above.
      const answered = (await Promise.all(sending)).filter((text) => text !== undefined);
      expect(answered.length).toBeGreaterThan(0);
      for (const text of answered.slice(1)) expect(await max.hears("newMessage")).toMatchObject({ text });
    },
  );
});

describe("the terminal client", () => {
  const terminal = (...args: string[]) => new Program(built.terminal, ["--url", server.url, ...args]).endWithTest();

  it("chats with the others", async () => {
    const mia = terminal("--name", "Mia");
    await mia.printed(/You are Mia in "general"/);
    const ned = await enter("general", "Ned");
    await mia.printed(/Ned has come in/);

    await ned.do("startTyping", "general");
    await mia.printed(/Ned is typing…/);
    await ned.do("sendMessage", { text: "hello terminal", channelId: "general" });
    await mia.printed(/^\d\d:\d\d Ned: hello terminal$/m);
    await ned.hears("messageRead");

    mia.type("hello from the terminal");
    await ned.hears("newMessage", ({ text, senderName }: { text: string; senderName: string }) => {
      return senderName === "Mia" && text === "hello from the terminal";
    });
    mia.type("/who");
    await mia.printed(/^Here: .*Mia, Ned/m);
    mia.type("/room attic");
    await mia.printed(/There is no room "attic"/);
    mia.type("/room lounge");
    await mia.printed(/You are Mia in "lounge"/);
  });

  it("sends its last line before it ends with its input", async () => {
    const oda = await enter("general", "Oda");
    const pia = terminal("--name", "Pia");
    pia.process.stdin?.end("one\ntwo");
    expect(await pia.ended).toBe(0);
    await oda.hears("newMessage", ({ text }: { text: string }) => text === "two");
  });

  it("ends at Ctrl-C", async () => {
    const quinn = terminal("--name", "Quinn");
    quinn.type("/who");
    await quinn.printed(/^Here: /m);
    expect(await quinn.stop("SIGINT")).toBe(0);
  });

  it("reports a missing name, one that is too long, and an unreachable server", async () => {
    const nameless = terminal();
    expect(await nameless.ended).toBe(1);
    expect(nameless.output).toMatch(/^A name is needed\nUsage: npm run chat -- --name Ann/);
    const long = terminal("--name", "x".repeat(25));
    expect(await long.ended).toBe(1);
    expect(long.output.trim()).toBe("The name is too long");
    const alone = new Program(built.terminal, ["--name", "Ron", "--url", "http://127.0.0.1:9"]);
    expect(await alone.ended).toBe(1);
    expect(alone.output).toMatch(/^No chat at http:\/\/127\.0\.0\.1:9: .+\nStart one with `npm start`/);
  });

  it("says that there is news in another room, once until it is visited", async () => {
    const rob = terminal("--name", "Rob");
    await rob.printed(/You are Rob in "general"/);
    const sam = await enter("lounge", "Sam");
    for (const text of ["one", "two"]) await sam.do("sendMessage", { text, channelId: "lounge" });
    await rob.printed(/^ {2}There is news in "lounge": \/room lounge$/m);
    rob.type("/room lounge");
    await rob.printed(/Sam: two$/m);
    rob.type("/room general");
    await rob.printed(/You are Rob in "general"[\s\S]*You are Rob in "general"/);
    expect(rob.output.match(/There is news/g)).toHaveLength(1);
    await sam.do("sendMessage", { text: "three", channelId: "lounge" });
    await rob.printed(/There is news[\s\S]*There is news/);
  });

  it("returns to a server that was restarted, and says that messages may be missing", async () => {
    const { url, restart } = await startRestarting();
    const tia = new Program(built.terminal, ["--url", url, "--name", "Tia"]).endWithTest();
    await tia.printed(/You are Tia in "general"/);
    const before = await ChatUser.in("general", built.user, url, "Uma");
    await before.do("sendMessage", { text: "before", channelId: "general" });
    await tia.printed(/Uma: before$/m);
    const uma = await restart("Uma");
    await tia.printed(/^ {2}Reconnecting… next try in \d s\n(?: {2}Recon.*\n)* {2}Back\. Messages may be missing$/m);

    tia.type("still here");
    expect(await uma.hears("newMessage")).toMatchObject({ senderName: "Tia", text: "still here" });
    await uma.do("sendMessage", { text: "after", channelId: "general" });
    await tia.printed(/Uma: after$/m);
    expect(Array.from(tia.output.matchAll(/Uma: (.*)$/gm), ([, text]) => text)).toEqual(["before", "after"]);
  });

  it("ends when its name has been taken while the server was away", async () => {
    const { url, restart } = await startRestarting();
    const vic = new Program(built.terminal, ["--url", url, "--name", "Vic"]).endWithTest();
    await vic.printed(/You are Vic in "general"/);
    await restart("Vic");
    expect(await vic.ended).toBe(1);
    expect(vic.output).toContain("Vic is here already: choose another name");
  });

  it("waits for its server, sends nothing meanwhile, and ends at Ctrl-C", async () => {
    const own = await ChatServer.start(built.server);
    const sue = new Program(built.terminal, ["--url", own.url, "--name", "Sue"]).endWithTest();
    sue.type("/who");
    await sue.printed(/^Here: /m);
    await own.stop();
    await sue.printed(/^ {2}Reconnecting… next try in \d s$/m);
    sue.type("into the void");
    await sue.printed(/^There is no connection to the server, so nothing was sent$/m);
    expect(await sue.stop("SIGINT")).toBe(0);
  });
});

/** A server that a balancer passes its clients to, and another one, which has forgotten them all and takes its place. */
async function startRestarting() {
  const [first, second] = await Promise.all([ChatServer.start(built.server), ChatServer.start(built.server)]);
  let current = first;
  const balancer = new Balancer(() => [Number(current.port)]);
  const port = await balancer.listen(0);
  onTestFinished(async () => {
    balancer.close();
    await Promise.all([first.program.stop("SIGKILL"), second.stop()]);
  });
  return {
    url: `http://localhost:${port}`,
    /** A user of this name is there first. */
    async restart(name: string): Promise<ChatUser> {
      const user = await ChatUser.in("general", built.user, second.url, name);
      current = second;
      await first.program.stop("SIGKILL");
      return user;
    },
  };
}
