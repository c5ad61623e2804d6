import { GGContext, GGContextKey } from "@grest-ts/context";
import { GGHttpServer } from "@grest-ts/http";
import {
  ERROR,
  FORBIDDEN,
  GG_NO_PERMISSIONS,
  IsBoolean,
  IsObject,
  IsString,
  NOT_AUTHORIZED,
  VALIDATION_ERROR,
} from "@grest-ts/schema";
import { defineSocketContract, type WebSocketOutgoing, webSocketSchema } from "@grest-ts/websocket";
import { callOn } from "@grest-ts/websocket/testkit";
import { beforeEach, expect, it, onTestFinished } from "vitest";

// The whole way from one user to another, through both ends' middlewares, gate, validation, handlers and pushes.

const NAME = new GGContextKey<string>("users_test_name", IsString);
const DECLINED = ERROR.define("USERS_TEST_DECLINED", 409);
const SCOPES: Record<string, string[]> = { ann: ["say"], ben: ["say"], eve: [] };

const contract = defineSocketContract("Users", {
  clientToServer: {
    whoAmI: { success: IsString, permission: GG_NO_PERMISSIONS },
    say: {
      input: IsObject({ text: IsString.nonEmpty }),
      success: IsObject({ heardBy: IsString }),
      permission: "say",
      errors: [DECLINED],
    },
  },
  serverToClient: {
    said: { input: IsObject({ by: IsString, text: IsString }) },
    mayI: { input: IsString, success: IsBoolean },
  },
});
type Outgoing = WebSocketOutgoing<typeof contract.methods.serverToClient>;

const Users = webSocketSchema(contract)
  .path("ws/users")
  .use({
    updateHandshake: ({ headers }) => {
      headers.name = NAME.get() ?? "";
    },
    parseHandshake: ({ headers }) => {
      if (!headers.name || !SCOPES[headers.name]) throw new NOT_AUTHORIZED({ displayMessage: "unknown user" });
      NAME.set(headers.name);
    },
  })
  .done();

/** A server whose `say` asks all other users first, and then sends to them. */
beforeEach(async () => {
  const connected = new Map<string, Outgoing>();
  const http = new GGHttpServer({ port: 0 });
  Users.register(
    (incoming, outgoing) => {
      const name = NAME.assert();
      connected.set(name, outgoing);
      outgoing.onClose(() => connected.delete(name));
      incoming.on({
        whoAmI: async () => NAME.assert(),
        say: async ({ text }) => {
          const others = [...connected].filter(([other]) => other !== NAME.assert());
          for (const [, other] of others) if (!(await other.mayI(text))) throw new DECLINED();
          for (const [, other] of others) other.said({ by: NAME.assert(), text });
          return { heardBy: others.map(([other]) => other).join() };
        },
      });
    },
    { http, permissionResolver: () => new Set(SCOPES[NAME.assert()]) },
  );
  await http.start();
  onTestFinished(() => http.teardown());
});

async function user(name: string) {
  const api = callOn(Users, new GGContext(name).set(NAME, name));
  await api.connect();
  return api;
}

it("keeps each user's context to that user", async () => {
  const [ann, ben] = [await user("ann"), await user("ben")];
  await ann.whoAmI().toEqual("ann");
  await ben.whoAmI().toEqual("ben");
  await ann.whoAmI().toEqual("ann");
});

it("asks the other user, waits for the answer, and then pushes", async () => {
  const [ann, ben] = [await user("ann"), await user("ben")];
  await ann
    .say({ text: "hi" })
    .with(ben.mock.mayI.toEqual("hi").andReturn(true), ben.mock.said.toEqual({ by: "ann", text: "hi" }))
    .toEqual({ heardBy: "ben" });
});

it("passes a declared error on, and pushes nothing", async () => {
  const [ann, ben] = [await user("ann"), await user("ben")];
  await ann.say({ text: "hi" }).with(ben.mock.mayI.andReturn(false)).toBeError(DECLINED);
});

it("refuses before it asks other users: by permission, by validation", async () => {
  const [ann, eve] = [await user("ann"), await user("eve")];
  await eve.say({ text: "hi" }).toBeError(FORBIDDEN);
  await ann
    .say({ text: "" })
    .toBeError(VALIDATION_ERROR)
    .toEqual({ text: ["Value must not be empty"] });
});

it("refuses a user that the middleware does not know", async () => {
  await expect(user("mallory")).rejects.toBeInstanceOf(NOT_AUTHORIZED);
});
