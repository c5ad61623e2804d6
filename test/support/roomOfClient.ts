import { expect } from "vitest";
import { Balancer } from "./balancer.js";
import { eventually } from "./eventually.js";
import { ResumingClient } from "./resumingClient.js";
import type { ServerNode } from "./serverNode.js";

/** `count` texts of a name. */
export const texts = (count: number, name: string) => Array.from({ length: count }, (_, index) => `${name} ${index}`);

let lastRoom = 0;

/** A room, and a client that has got five messages of it on this node. */
export async function startRoom(first: ServerNode, history = 1_000) {
  const room = { name: `room ${++lastRoom}`, history };
  const balancer = await Balancer.start();
  balancer.ports = [first.port];
  const client = await ResumingClient.connect("ann", [room], balancer.url);
  const publish = async (name: string, count = 3, node = first) => {
    const results = await node.run("publish", room, texts(count, name));
    expect(results.filter(({ failure }) => failure)).toEqual([]);
  };
  await publish("before", 5);
  await client.got("[joined]", ...texts(5, "before"));
  const before = [...client.log];
  let latest = first;
  return {
    room,
    client,
    /** What it had got by then. */
    before,
    publish,
    balancer,
    /** Cuts it off, and keeps it so. */
    async cut() {
      balancer.ports = [];
      balancer.cut();
      await eventually(() => expect(client.ends.state).toBe("reconnecting"));
    },
    /** Lets it connect to a node. */
    goesTo(node: ServerNode) {
      balancer.ports = [node.port];
      latest = node;
    },
    /** It gets these, and nothing more. */
    async gets(...after: readonly string[]) {
      await client.got(...before, ...after);
      await publish("end", 1, latest);
      await client.got(...before, ...after, "end 0");
    },
  };
}
