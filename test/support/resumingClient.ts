import { type GGGroupEvent, resumeGroups } from "@grest-ts/websocket";
import { expect, onTestFinished } from "vitest";
import { NodesApi, type Room } from "../fixtures/nodes/api.js";
import { eventually } from "./eventually.js";

/** The library's client, a member of rooms on each of its connections, that keeps what its program gets. */
export class ResumingClient {
  /** The texts, and what `onGroup` said, such as `"[joined]"`, `"[recovered, missed 3]"`, `"[lost]"`. */
  readonly log: string[] = [];
  readonly events: GGGroupEvent[] = [];
  readonly ends: ReturnType<typeof NodesApi.createClient>;

  /** How many of its connections have ended. */
  cuts = 0;

  private constructor(
    readonly user: string,
    rooms: readonly Room[],
    url: string,
  ) {
    this.ends = NodesApi.createClient({
      url,
      // As soon as there is a server again.
      reconnect: { initial: true, initialDelayMs: 5, maxDelayMs: 50 },
      resume: resumeGroups({
        onGroup: (event) => {
          this.events.push(event);
          this.log.push(textOf(event, rooms.length > 1));
        },
      }),
      middlewares: [
        { updateHandshake: ({ headers }) => void Object.assign(headers, { user, rooms: JSON.stringify(rooms) }) },
      ],
      logger: { debug() {}, warn() {}, error() {} },
    });
    this.ends.incoming.on({ news: (text) => void this.log.push(text) });
    this.ends.onDisconnect(() => void this.cuts++);
    onTestFinished(() => this.ends.close());
  }

  /** Connects, and waits until it is in its rooms. */
  static async connect(user: string, rooms: readonly Room[], url: string): Promise<ResumingClient> {
    const client = new ResumingClient(user, rooms, url);
    await client.ends.connect();
    await eventually(() => expect(client.events).toHaveLength(rooms.length));
    return client;
  }

  /** Waits until its program has got exactly these. */
  async got(...log: readonly string[]): Promise<void> {
    await eventually(() => expect(this.log.length).toBeGreaterThanOrEqual(log.length));
    expect(this.log).toEqual(log);
  }
}

function textOf({ group, recovered, missed }: GGGroupEvent, isNamed: boolean): string {
  const outcome = recovered === undefined ? "joined" : recovered ? `recovered, missed ${missed}` : "lost";
  return `[${isNamed ? `${group} ` : ""}${outcome}]`;
}
