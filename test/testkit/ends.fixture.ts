// Run by test/testkit.runner.test.ts: what vitest makes of tests that the kit has to fail.
import { GGContext } from "@grest-ts/context";
import { GGHttpServer } from "@grest-ts/http";
import { callOn } from "@grest-ts/websocket/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GG_NAME, KitApi, Room } from "./api.js";

const room = new Room();
const http = new GGHttpServer({ port: 0 });
KitApi.register(room.handle, { http });
beforeAll(() => http.start());
afterAll(() => http.teardown());

const user = (name: string) => callOn(KitApi, new GGContext("test").set(GG_NAME, name));

describe("a connection of the test", () => {
  it("fails it: unexpected push", async () => {
    const ann = user("ann");
    await ann.connect();
    await ann.say({ text: "a" });
  });

  it("fails it: call that was not awaited", async () => {
    const ann = user("ann");
    await ann.connect();
    void ann.whoAmI().toEqual("ann");
  });

  it("fails it: what it waited for when its time was over", { timeout: 50 }, async () => {
    const ann = user("ann");
    await ann.connect();
    await ann.whoAmI().waitFor(ann.mock.tick);
  });

  it("fails it: an expectation", async () => {
    const ann = user("ann");
    await ann.connect();
    await ann.say({ text: "a" }).toEqual(-1);
  });

  it("passes it, and counts as an assertion", async () => {
    expect.hasAssertions();
    const ann = user("ann");
    await ann.connect();
    await ann.whoAmI().toEqual("ann");
  });
});

describe("a connection of several tests", () => {
  const bob = user("bob");
  beforeAll(() => bob.connect());
  afterAll(() => bob.disconnect());

  it("passes: before", () => bob.whoAmI().toEqual("bob"));
  it("fails: unexpected push", async () => {
    await bob.say({ text: "a" });
  });
  it("passes: after", () => bob.whoAmI().toEqual("bob"));
  it("fails: a push and a request without any call", async () => {
    const [member] = room.members.slice(-1);
    member?.tick();
    // Answered with an error, after the push.
    await member?.question("why?").asResult();
  });
  it("passes: the end", () => bob.whoAmI().toEqual("bob"));
});

describe("concurrent tests", () => {
  it.concurrent("fails: nobody says which test is running", () => user("ann").connect());
  it.concurrent("fails: told which", async ({ onTestFinished }) => {
    const ann = callOn(KitApi, { context: new GGContext("test").set(GG_NAME, "ann"), onTestFinished });
    await ann.connect();
    await ann.say({ text: "a" });
  });
});
