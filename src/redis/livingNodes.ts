import { nodesKey } from "./keys.js";
import type { Link } from "./link.js";
import { isRefusal } from "./replies.js";
import type { Scripts } from "./scripts.js";

/** How long a node is believed to live after it has said so, in ms. */
const NODE_TTL = 15_000;

/** How often it is looked whether nodes have come back that Redis has forgotten, in ms, and for how long at most. */
const LOOK_INTERVAL = 250;
const LONGEST_RETURN = 5_000;

/** What the nodes need of the bus. */
export interface LivingNodesOptions {
  readonly prefix: string;
  readonly node: string;
  readonly scripts: Scripts;
  /** A node is gone, or those that Redis had forgotten are back. */
  onUnknownChange(): void;
}

/**
 * Which nodes live, by the clock of Redis. A node lives under the name of an incarnation, which it gives up when Redis has
 * forgotten it, and after each lost link. That name never comes back: what is left under it can be removed by any node.
 */
export class LivingNodes {
  /** The name that this node has now. */
  incarnation = "";
  /** Whether Redis has it, as far as this node knows. */
  hasJoined = false;
  /** Names that this node has had, and that Redis has taken. */
  readonly givenUp = new Set<string>();
  readonly #options: LivingNodesOptions;
  readonly #key: string;
  #incarnations = 0;
  /** Whether Redis has ever taken the present name. */
  #isTaken = false;
  #living: ReadonlySet<string> = new Set();
  /** Nodes that Redis has forgotten together with this one. They may live, and be on their way back. */
  #returning: ReadonlySet<string> = new Set();

  constructor(options: LivingNodesOptions) {
    this.#options = options;
    this.#key = nodesKey(options.prefix);
  }

  /** Whether it is known who lives. */
  get isKnown(): boolean {
    return this.#returning.size === 0;
  }

  /** Takes a new name; the present one again where Redis has refused it. */
  async begin(link: Link): Promise<void> {
    const last = this.incarnation;
    const former = this.#living;
    const wasTaken = this.#isTaken;
    const incarnation = last && !wasTaken ? last : `${this.#options.node}~${++this.#incarnations}`;
    await this.#ask(link, "join", incarnation);
    this.incarnation = incarnation;
    this.#isTaken = this.hasJoined;
    if (!wasTaken) return;
    this.givenUp.add(last);
    if (this.hasJoined && !this.#living.has(last)) this.#expect(link, former);
  }

  /** Says that this node lives. Returns false when Redis did not know it any more. */
  refresh(link: Link): Promise<boolean> {
    return this.#ask(link, "refresh", this.incarnation);
  }

  /** The names of all that live. */
  async look(link: Link): Promise<ReadonlySet<string>> {
    const [, ...living] = (await this.#run(link, "look", "")) as string[];
    this.#setLiving(living);
    return this.#living;
  }

  /** Removes a name of this node. */
  async leave(link: Link, incarnation: string): Promise<void> {
    await this.#run(link, "leave", incarnation);
    this.givenUp.delete(incarnation);
  }

  async #ask(link: Link, how: "join" | "refresh", incarnation: string): Promise<boolean> {
    try {
      const [isThere, ...living] = (await this.#run(link, how, incarnation)) as [number, ...string[]];
      this.#setLiving(living);
      this.hasJoined = isThere === 1;
      return this.hasJoined;
    } catch (error) {
      this.hasJoined = false;
      // The bus still carries messages.
      if (!isRefusal(error)) throw error;
      return true;
    }
  }

  #run(link: Link, how: "join" | "refresh" | "leave" | "look", incarnation: string): Promise<unknown> {
    return link.ask(this.#options.scripts.nodes, "1", this.#key, how, incarnation, `${NODE_TTL}`);
  }

  #setLiving(living: readonly string[]): void {
    const former = this.#living;
    this.#living = new Set(living);
    for (const name of former) {
      if (this.#living.has(name) || this.givenUp.has(name) || name === this.incarnation) continue;
      return this.#options.onUnknownChange();
    }
  }

  /** Redis has lost this node, and others with it. Until they are back they are not called dead. */
  #expect(link: Link, former: ReadonlySet<string>): void {
    const returning = new Set([...former].filter((name) => !this.#living.has(name)).map(nodeOf));
    returning.delete(this.#options.node);
    if (returning.size === 0) return;
    this.#returning = returning;
    let looks = 0;
    const timer = setInterval(async () => {
      // What those write that are back comes after their names.
      const wereBack = this.#areBack(returning);
      await this.look(link).catch(() => {});
      if (!wereBack && ++looks < LONGEST_RETURN / LOOK_INTERVAL && !link.isLost) return;
      clearInterval(timer);
      if (this.#returning !== returning) return;
      this.#returning = new Set();
      this.#options.onUnknownChange();
    }, LOOK_INTERVAL).unref();
  }

  #areBack(returning: ReadonlySet<string>): boolean {
    const living = new Set([...this.#living].map(nodeOf));
    return [...returning].every((node) => living.has(node));
  }
}

/** The node that has, or had, this name. */
function nodeOf(incarnation: string): string {
  return incarnation.slice(0, incarnation.lastIndexOf("~"));
}
