import { type GGSchema, IsString, SERVER_ERROR } from "@grest-ts/schema";
import { defineSocketContract, GGSocketGroup, webSocketSchema } from "@grest-ts/websocket";
import { expect, it } from "vitest";
import { connectedProbe } from "../support/probe.js";
import { RawPeer } from "../support/rawPeer.js";
import { serveApi } from "../support/server.js";
import { MISBEHAVIOURS, unreadable } from "./misbehaviours.js";
import { watchTheProcess } from "./watch.js";

// Whatever a program calls a method with, and whatever its validators do to that: the call settles.

watchTheProcess();

it("settles a call whose input cannot be read", async () => {
  const { client } = await connectedProbe();
  for (const input of [unreadable(), { text: unreadable() }]) {
    expect(await client.outgoing.echo(input as never).asResult()).toMatchObject({ success: false });
  }
});

it.each(MISBEHAVIOURS.filter(({ name }) => name !== "never settles"))(
  "settles calls, pushes and broadcasts whose validator $name",
  async ({ run }) => {
    const Api = webSocketSchema(
      defineSocketContract("Sent", {
        clientToServer: {},
        serverToClient: {
          ask: { input: { safeParse: run } as unknown as GGSchema<string>, success: IsString },
          push: { input: { safeParse: run } as unknown as GGSchema<string> },
        },
      }),
    )
      .path("ws")
      .done();
    const group = new GGSocketGroup(Api);
    const outcomes: Promise<unknown>[] = [];
    const { url } = await serveApi(Api, (_incoming, outgoing) => {
      group.add(outgoing);
      outcomes.push(outgoing.ask("x").asResult(), outgoing.push("x").asResult(), group.push("x").asResult());
    });
    await RawPeer.connect(url);
    for (const outcome of await Promise.all(outcomes)) expect(outcome).toBeInstanceOf(SERVER_ERROR);
    expect(outcomes).toHaveLength(3);
  },
);
