import { GGContext } from "@grest-ts/context";
import { GGHttpServer } from "@grest-ts/http";
import { GGLocatorScope } from "@grest-ts/locator";
import { EXISTS, NOT_FOUND, VALIDATION_ERROR } from "@grest-ts/schema";
import { callOn } from "@grest-ts/websocket/testkit";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { AuthService } from "../server/AuthService.js";
import { ChatService } from "../server/ChatService.js";
import { memoryStores } from "../server/stores/memory.js";
import type { LogIns } from "../server/stores/stores.js";
import { GG_AUTH_TOKEN, TOKEN_VERIFIER } from "../shared/auth/keys.js";
import { ChatApi, NOT_IN_ROOM, ROOM_FULL } from "../shared/ChatApi.js";

/** The chat's service alone, in this process: no page, no build. */

let logIns: LogIns;
let chat: ChatService;

beforeEach(async () => {
  const scope = new GGLocatorScope("chat test");
  scope.setLifecycleOwner({});
  const http = await scope.run(async () => {
    const stores = memoryStores();
    logIns = stores.logIns;
    chat = new ChatService(stores.messages);
    TOKEN_VERIFIER.set((token) => logIns.find(token));
    const server = new GGHttpServer({ port: 0 });
    chat.serve(server);
    await server.start();
    return server;
  });
  onTestFinished(() => http.teardown());
});

/** A user who is connected, and in no room. */
async function connect(name: string) {
  const { logIn } = await logIns.issue(name);
  const user = callOn(ChatApi, new GGContext(name).set(GG_AUTH_TOKEN, logIn.token));
  await user.connect();
  return user;
}

/** Two users in a room, each with the other's presence. */
async function meet(roomId: string) {
  const ann = await connect("Ann");
  const bo = await connect("Bo");
  const [annIsThere, boIsThere] = ["Ann", "Bo"].map((name) => ({
    name,
    userId: name.toLowerCase(),
    channelId: roomId,
  }));
  await ann
    .joinRoom({ roomId })
    .with(
      ann.mock.presence.toEqual({ online: [annIsThere!] }),
      bo.mock.presence.toMatchObject({ online: [annIsThere!] }),
    )
    .toEqual({ joined: true });
  await bo
    .joinRoom({ roomId })
    .with(
      ann.mock.presence.toEqual({ online: [annIsThere!, boIsThere!] }),
      bo.mock.presence.toMatchObject({ online: [{}, { name: "Bo" }] }),
    );
  return { ann, bo };
}

describe("two people in a room", () => {
  it("receive a message with its author", async () => {
    const { ann, bo } = await meet("general");
    const message = {
      id: expect.any(String),
      text: "Hello, Ann!",
      senderId: "bo",
      senderName: "Bo",
      channelId: "general",
      timestamp: expect.any(Number),
    };
    const { messageId } = await bo
      .sendMessage({ text: "  Hello, Ann!  ", channelId: "general" })
      .with(bo.mock.newMessage.toEqual(message))
      .toMatchObject({ success: true });
    await ann.mock.newMessage.toEqual({ ...message, id: messageId });
  });

  it("see the other one type and read, but not themselves", async () => {
    const { ann, bo } = await meet("general");
    await bo
      .startTyping({ channelId: "general" })
      .with(ann.mock.typing.toEqual({ userId: "bo", name: "Bo", channelId: "general" }));
    const { messageId } = await bo
      .sendMessage({ text: "read this", channelId: "general" })
      .with(ann.mock.newMessage, bo.mock.newMessage);
    await ann.markAsRead({ messageId }).with(bo.mock.messageRead.toEqual({ messageId, userId: "ann", name: "Ann" }));
    await bo.markAsRead({ messageId });
  });

  it("are one person each, however often they are connected", async () => {
    const { ann, bo } = await meet("general");
    const again = await connect("Ann");
    const online = [{ name: "Ann" }, { name: "Bo" }];
    await again.joinRoom({ roomId: "general" }).with(again.mock.presence.toMatchObject({ online }));
    await again.disconnect();
    await ann.startTyping({ channelId: "general" }).with(bo.mock.typing);
  });

  it("are notified that the other one has disconnected", async () => {
    const { ann, bo } = await meet("general");
    await bo.disconnect();
    await ann.mock.presence.toMatchObject({ online: [{ name: "Ann" }] });
  });
});

describe("rejects", () => {
  it("a room that does not exist, and one that is full", async () => {
    const guest = await connect("Guest");
    await guest.joinRoom({ roomId: "attic" }).toBeError(NOT_FOUND);
    const all = [guest];
    for (let seat = 1; seat <= 8; seat++) {
      const other = await connect(`Guest ${seat}`);
      all.push(other);
      // Every user is notified of every other one.
      await other.joinRoom({ roomId: "lounge" }).with(...all.map(({ mock }) => mock.presence));
    }
    await guest.joinRoom({ roomId: "lounge" }).toBeError(ROOM_FULL);
  });

  it("a message to another room, and an empty one", async () => {
    const { ann, bo } = await meet("general");
    await ann.sendMessage({ text: "hi", channelId: "lounge" }).toBeError(NOT_IN_ROOM);
    await bo
      .sendMessage({ text: "  ", channelId: "general" })
      .toBeError(VALIDATION_ERROR)
      .toEqual({ text: ["Value must not be empty"] });
  });
});

describe("a name that is logged in again", () => {
  it("ends the earlier log-in and its connections, unless one answers", async () => {
    const { ann, bo } = await meet("general");
    const auth = new AuthService(logIns, chat);
    for (const isThere of [true, false]) {
      const asked = ann.mock.areYouThere.andReturn(isThere).then();
      const again = auth.logIn({ name: "ANN" });
      if (isThere) await expect(again).rejects.toBeInstanceOf(EXISTS);
      else expect(await logIns.find((await again).token)).toMatchObject({ user: { id: "ann", name: "ANN" } });
      await asked;
    }
    await bo.mock.presence.toMatchObject({ online: [{ name: "Bo" }] });
    await expect(ann.connect()).rejects.toThrow("NOT_AUTHORIZED");
  });
});

describe("isThere", () => {
  it("asks the user's connection", async () => {
    const ann = await connect("Ann");
    expect(await chat.isThere("stranger")).toBe(false);
    for (const answer of [true, false]) {
      const asked = ann.mock.areYouThere.andReturn(answer).then();
      expect(await chat.isThere("ann")).toBe(answer);
      await asked;
    }
  });
});
