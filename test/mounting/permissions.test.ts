import type { Server } from "node:http";
import { GG_NO_PERMISSIONS, type GGPermission, IsString } from "@grest-ts/schema";
import { defineSocketContract, webSocketSchema } from "@grest-ts/websocket";
import { describe, expect, it, onTestFinished } from "vitest";
import { RawPeer } from "../support/rawPeer.js";
import { listen, nodeHost, portOf } from "./hosts.js";

/** An API with one method, of this permission, that may need another one to connect. */
function api(name: string, permission?: GGPermission, toConnect?: GGPermission) {
  const method = { success: IsString, ...(permission && { permission }) };
  const builder = webSocketSchema(defineSocketContract(name, { clientToServer: { ask: method }, serverToClient: {} }));
  if (toConnect) builder.connectPermission(toConnect);
  return builder.path(`ws/${name}`).done();
}

function mount(server: Server, schema: ReturnType<typeof api>, scopes?: readonly string[]) {
  const served = schema.startServer((incoming) => incoming.on({ ask: async () => "answer" }), {
    http: server,
    ...(scopes && { permissionResolver: () => new Set(scopes) }),
  });
  onTestFinished(() => served.teardown());
  return served;
}

async function ask(server: Server, name: string): Promise<string> {
  const peer = await RawPeer.connect(`ws://127.0.0.1:${portOf(server)}/ws/${name}`);
  peer.send(`r:${name}.ask:1:`);
  return peer.next();
}

describe.each(["before it listens", "while it listens"] as const)("permissions on a server of Node, %s", (when) => {
  async function host(): Promise<Server> {
    const { server } = nodeHost();
    if (when === "while it listens") await listen(server);
    return server;
  }
  const ready = async (server: Server) => void (server.listening || (await listen(server)));

  it("are checked when an API is mounted: something must grant them", async () => {
    const server = await host();
    expect(() => mount(server, api("Gated", "x"))).toThrow(
      new Error("Gated: nothing grants the permission of Gated.ask: pass a permissionResolver"),
    );
    expect(() => mount(server, api("Gated", GG_NO_PERMISSIONS, "y"))).toThrow(
      new Error("Gated: nothing grants the permission of Gated (connectPermission): pass a permissionResolver"),
    );
    // What was refused has taken no path.
    mount(server, api("Gated", "x"), ["x"]);
    await ready(server);
    expect(await ask(server, "Gated")).toContain("answer");
  });

  it("are enforced", async () => {
    const server = await host();
    mount(server, api("Gated", "x"), ["other"]);
    await ready(server);
    expect(await ask(server, "Gated")).toContain("FORBIDDEN");
  });

  const strict = {
    "declares one": () => [api("Strict", "x"), ["x"]],
    "declares that all are public": () => [api("Strict", GG_NO_PERMISSIONS), undefined],
    "needs one to connect": () => [api("Strict", GG_NO_PERMISSIONS, "x"), ["x"]],
  } as const satisfies Record<string, () => readonly [ReturnType<typeof api>, readonly string[] | undefined]>;

  describe.each(Object.entries(strict))("must be declared by all when one API %s", (_, make) => {
    it("and it comes first", async () => {
      const server = await host();
      const [schema, scopes] = make();
      mount(server, schema, scopes);
      expect(() => mount(server, api("Open"))).toThrow(/^Open: Open\.ask must declare a permission/);
      mount(server, api("Open", GG_NO_PERMISSIONS));
    });

    it("and it comes last", async () => {
      const server = await host();
      const open = mount(server, api("Open"));
      const [schema, scopes] = make();
      expect(() => mount(server, schema, scopes)).toThrow(/^Strict: Open\.ask must declare a permission/);
      await open.teardown();
      mount(server, schema, scopes);
    });
  });

  it("must be declared by an API that has a resolver", async () => {
    const server = await host();
    expect(() => mount(server, api("Wired"), ["x"])).toThrow(/^Wired: Wired\.ask must declare a permission/);
  });

  it("are those of each server on its own", async () => {
    mount(await host(), api("Gated", "x"), ["x"]);
    mount(await host(), api("Open"));
  });

  it("are not needed where none declares any", async () => {
    const server = await host();
    mount(server, api("One"));
    mount(server, api("Two"));
    await ready(server);
    expect(await ask(server, "Two")).toContain("answer");
  });
});
