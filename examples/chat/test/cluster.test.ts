import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { createClient } from "redis";
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from "vitest";
import { CHROMIUM_ARGS, findChromium } from "../../../test/support/chromium.js";
import { describeWithRedis } from "../../../test/support/redis.js";
import { groupOfRoom } from "../shared/ChatApi.js";
import type { Message, Presence } from "../shared/model.js";
import { buildForTests } from "./support/build.js";
import { ChatUser } from "./support/ChatUser.js";
import { Program } from "./support/Program.js";

/** The built chat as `npm run start:cluster` runs it: three servers, a Redis and a balancer, each a process of its own. */

// A node that has died is forgotten after 15 to 20 s.
vi.setConfig({ testTimeout: 45_000, hookTimeout: 30_000 });

const ROOM = "general";

const executablePath = findChromium();

let built: Awaited<ReturnType<typeof buildForTests>>;

beforeAll(async () => {
  built = await buildForTests("cluster");
});

describeWithRedis("the chat on three nodes", () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await Cluster.start();
  });

  afterAll(async () => {
    expect(await cluster?.program.stop("SIGINT")).toBe(0);
    await cluster?.hasLeftNothing();
  });

  it("goes on when a node is killed: nothing is missing or double, and no ghost stays", async () => {
    const ann = await Guest.enter("Ann", cluster);
    const bo = await Guest.enter("Bo", cluster);
    const cy = await Guest.enter("Cy", cluster);
    const all = [ann, bo, cy];
    expect(new Set(all.map(({ node }) => node))).toEqual(new Set(["1", "2", "3"]));
    const dee = await Guest.enter("Dee", cluster);

    // One room, wherever its members are.
    for (const one of [...all, dee]) await one.sees("Ann", "Bo", "Cy", "Dee");
    await bo.user.do("startTyping", ROOM);
    for (const one of [ann, cy]) expect(await one.user.hears("typing")).toMatchObject({ name: "Bo" });
    const said = await Promise.all(all.map((one) => one.sayEach(10)));
    const heard = await ann.hears(30);
    expect(heard.map(({ text }) => text).sort()).toEqual(said.flat().sort());
    for (const one of [bo, cy]) expect(await one.hears(30), one.name).toEqual(heard);
    const byAnn = heard.find(({ senderName }) => senderName === "Ann");
    await cy.user.do("markAsRead", byAnn?.id);
    expect(await ann.user.hears("messageRead")).toEqual({ messageId: byAnn?.id, userId: "cy", name: "Cy" });

    // A node is lost with two users while another one talks. One of them is lost too; the other one returns, and gets it all
    // without its history.
    const lost = dee.node;
    const [talking, cut] = [all.find(({ node }) => node !== lost), all.find(({ node }) => node === lost)];
    if (!talking || !cut) throw new Error("Each of the three is on a node of their own");
    process.kill(cluster.pidOf(lost), "SIGKILL");
    // Only now, so that the node cannot see her leave.
    await dee.user.stop();
    const meanwhile = await talking.sayUntil(cut.resumes(true), 100);
    expect(cut.node).not.toBe(lost);
    await cut.say("back again");
    for (const one of all) {
      const texts = (await one.hears(meanwhile.length + 1)).map(({ text }) => text);
      expect(texts, one.name).toEqual([...meanwhile, "back again"]);
    }
    // One name, wherever its user is, and whatever nodes there are.
    for (let i = 0; i < 3; i++) {
      const impostor = new ChatUser(built.guest, cluster.url);
      await expect(impostor.do("logIn", "ANN")).rejects.toMatchObject({ type: "EXISTS" });
    }

    // The node is started again, and takes part: one of three that come in turn is on it.
    await cluster.startAgain(lost);
    const fresh: Guest[] = [];
    for (const name of ["Eli", "Fay", "Gus"]) fresh.push(await Guest.enter(name, cluster));
    for (const one of fresh) await one.say(`${one.name} is on node ${one.node}`);
    const texts = (await talking.hears(3)).map(({ text }) => text);
    expect(texts).toEqual(fresh.map(({ name, node }) => `${name} is on node ${node}`));
    expect(texts.join()).toContain(`is on node ${lost}`);
    for (const one of all) await one.sees("Ann", "Bo", "Cy", "Eli", "Fay", "Gus");
  });

  it.skipIf(executablePath === undefined)(
    "the page shows its node, says what was sent meanwhile, and shows every message once",
    async () => {
      const { page, requests, node: lost, shownSince } = await openPage("Hal", cluster);
      const ida = await Guest.enterElsewhere(lost, ["Ida", "Joe", "Kim"], cluster);

      const said = await ida.sayEach(3);
      await page.getByText(said.at(-1) ?? "").waitFor();
      const before = requests.length;
      process.kill(cluster.pidOf(lost), "SIGKILL");
      const hasReturned = page
        .getByRole("status")
        .getByText(/^Back on node \d(; \d+ messages were|; 1 message was|\. Nothing was) sent meanwhile$/)
        .waitFor();
      said.push(...(await ida.sayUntil(hasReturned, 100)));
      await page.getByText("Connected", { exact: true }).waitFor();
      await page.locator(".node:not([hidden])", { hasNotText: `node ${lost}` }).waitFor();
      await page.getByRole("textbox", { name: "Message" }).fill("back again");
      await page.keyboard.press("Enter");
      await page.locator(".own .bubble").getByText("back again").waitFor();
      expect(await shownSince(said[0])).toEqual([...said, "back again"]);
      // The socket brought what was missed.
      expect(requests.slice(before)).toEqual([]);
      // It says so for a moment.
      await page.locator('.status[data-tone="none"]').waitFor({ state: "attached" });
      await cluster.startAgain(lost);
    },
  );

  it.skipIf(executablePath === undefined)(
    "the page says that messages may be missing when Redis has lost them, and shows what the room remembers once",
    async () => {
      const { page, shownSince } = await openPage("Pam", cluster);
      const quin = await Guest.enter("Quin", cluster);
      await quin.say("before the loss");
      await page.getByText("before the loss").waitFor();

      const redis = createClient({ url: cluster.redisUrl });
      await redis.connect();
      onTestFinished(() => redis.destroy());
      // One that never reached the group.
      const unheard = JSON.parse((await redis.lIndex(`chat:messages:${ROOM}`, -1)) ?? "");
      await redis.rPush(`chat:messages:${ROOM}`, JSON.stringify({ ...unheard, id: "unheard", text: "unheard" }));
      const channel = `gg:{ChatApi/${groupOfRoom(ROOM)}}`;
      expect(await redis.del([`${channel}:m`, `${channel}:s`])).toBe(2);

      await quin.say("after the loss");
      await page.getByRole("status").getByText("Messages may be missing").waitFor();
      await page.getByText("unheard").waitFor();
      await page.getByText("after the loss").waitFor();
      await quin.resumes(false);
      await quin.say("and on");
      await page.getByText("and on", { exact: true }).waitFor();
      expect(await shownSince("before the loss")).toEqual(["before the loss", "unheard", "after the loss", "and on"]);
    },
  );

  it.skipIf(executablePath === undefined)(
    "while all nodes are restarted in turn, the page moves, and no message is missing, double or refused",
    async () => {
      const { page, shownSince } = await openPage("Ray", cluster);
      const terminal = new Program(built.terminal, ["--name", "Sue", "--url", cluster.url]).endWithTest();
      await terminal.printed(/You are Sue in "general"/);
      const tom = await Guest.enter("Tom", cluster);
      const pids = ["1", "2", "3"].map((node) => cluster.pidOf(node));
      await page.evaluate(recordStatus);

      cluster.program.type("roll");
      const said: string[] = [];
      for (const node of ["1", "2", "3"]) {
        await cluster.program.printed(new RegExp(`^node ${node} \\| Draining`, "m"));
        const pid = pids[Number(node) - 1];
        const isBack = cluster.program.printed(new RegExp(`^node ${node} runs again, with pid (?!${pid}\\b)`, "m"));
        said.push(...(await tom.sayUntil(isBack, 50)));
      }
      await page.getByRole("textbox", { name: "Message" }).fill("moved");
      await page.keyboard.press("Enter");
      await page.locator(".own .bubble").getByText("moved", { exact: true }).waitFor();

      for (const pid of pids) expect(isAlive(pid)).toBe(false);
      expect(await shownSince(said[0])).toEqual([...said, "moved"]);
      const heard = await tom.hearsUntil("moved");
      expect(heard.slice(heard.indexOf(said[0] ?? ""))).toEqual([...said, "moved"]);
      await terminal.printed(/^\d\d:\d\d Ray: moved$/m);
      const printed = Array.from(terminal.output.matchAll(/^\d\d:\d\d \w+: (.*)$/gm), ([, text]) => text);
      expect(printed.slice(printed.indexOf(said[0]))).toEqual([...said, "moved"]);

      // Each was on one of the nodes, and never without a connection.
      const texts: string[] = await page.evaluate("statuses");
      expect(texts.length).toBeGreaterThan(0);
      for (const text of texts) expect(text).toMatch(/^Moved to node \d\. Nothing is missing$/);
      expect(terminal.output).toMatch(/^ {2}Moved to node \d\. Nothing is missing$/m);
      expect(terminal.output).not.toContain("Reconnecting");
      expect(await page.locator(".pill").textContent()).toMatch(/^Connectednode \d$/);
    },
  );

  it("the terminal client shows its node, returns by itself, and prints what it missed", async () => {
    const lea = new Program(built.terminal, ["--name", "Lea", "--url", cluster.url]).endWithTest();
    const [, lost = ""] = await lea.printed(/You are Lea in "general" \(node (\d)\)/);
    const max = await Guest.enterElsewhere(lost, ["Max", "Ned", "Oda"], cluster);
    process.kill(cluster.pidOf(lost), "SIGKILL");
    const said = await max.sayUntil(lea.printed(/Back on node \d/), 100);
    said.push(...(await max.sayEach(3)));
    await lea.printed(new RegExp(`: ${said.at(-1)}$`, "m"));
    const printed = Array.from(lea.output.matchAll(/^\d\d:\d\d \w+: (.*)$/gm), ([, text]) => text);
    expect(printed.slice(printed.indexOf(said[0]))).toEqual(said);
    expect(lea.output).not.toContain("may be missing");
    await cluster.startAgain(lost);
  });

  it("ends with the program that has started it, even when that is killed", async () => {
    const own = await Cluster.start();
    await own.program.stop("SIGKILL");
    await own.hasLeftNothing();
  });

  it("reports a port that is taken, and a REDIS_URL where there is none", async () => {
    const second = Cluster.run({ PORT: new URL(cluster.url).port });
    expect(await second.ended).toBe(1);
    expect(second.output.trim()).toMatch(/^Port \d+ is taken. Choose another: PORT=3001 npm run start:cluster$/);
    const alone = Cluster.run({ REDIS_URL: "redis://127.0.0.1:9" });
    expect(await alone.ended).toBe(1);
    expect(alone.output).toMatch(/^node \d \| There is no Redis at REDIS_URL: /m);
  });
});

it("says what it needs when there is no Redis", async () => {
  const alone = Cluster.run({ PATH: "" });
  expect(await alone.ended).toBe(1);
  expect(alone.output.trim()).toMatch(
    /^The nodes of a cluster need a Redis: install one \(.*\), or set REDIS_URL to one/,
  );
});

/** What `npm run start:cluster` runs, on a port of its own. */
class Cluster {
  static readonly #path = fileURLToPath(new URL("../tools/start-cluster.js", import.meta.url));

  private constructor(
    readonly program: Program,
    readonly url: string,
  ) {}

  static run(env: Readonly<Record<string, string>>): Program {
    return new Program(Cluster.#path, [built.server], { PORT: "0", REDIS_URL: "", ...env });
  }

  static async start(): Promise<Cluster> {
    const program = Cluster.run({});
    const [url] = await program.printed(/http:\/\/localhost:\d+/);
    return new Cluster(program, url);
  }

  get redisUrl(): string {
    return /redis:\S+\d/.exec(this.program.output)?.[0] ?? "";
  }

  /** The process of a node, the latest one. */
  pidOf(node: string): number {
    const found = [...this.program.output.matchAll(new RegExp(`node ${node} .*pid (\\d+)`, "g"))].at(-1);
    return Number(found?.[1]);
  }

  /** Starts a node again that was killed. */
  async startAgain(node: string): Promise<void> {
    const { program } = this;
    const dead = this.pidOf(node);
    // Typed before that, the number would kill it.
    await program.printed(new RegExp(`node ${node} with pid ${dead} has ended`));
    program.type(node);
    await program.printed(new RegExp(`node ${node} runs again, with pid (?!${dead}\\b)`));
  }

  /** Resolves when none of its processes is left. */
  async hasLeftNothing(): Promise<void> {
    const pids = Array.from(this.program.output.matchAll(/pid (\d+)/g), ([, pid]) => Number(pid));
    expect(pids.length).toBeGreaterThanOrEqual(4);
    await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), 10_000);
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** The page of a user who is in the room, in a browser of its own. */
async function openPage(name: string, { url }: Cluster) {
  const browser = await chromium.launch({ executablePath: executablePath ?? "", args: CHROMIUM_ARGS });
  onTestFinished(() => browser.close());
  const page = await browser.newPage();
  /** The paths of its requests over HTTP. */
  const requests: string[] = [];
  page.on("request", (request) => requests.push(new URL(request.url()).pathname));
  await page.goto(url);
  await page.getByLabel("Your name").fill(name);
  await page.keyboard.press("Enter");
  await page.locator("textarea:enabled").waitFor();
  const [, node = ""] = /^node (\d)$/.exec((await page.locator(".node").textContent()) ?? "") ?? [];
  return {
    page,
    requests,
    node,
    /** The messages that are shown, from one on. */
    async shownSince(text: string | undefined): Promise<string[]> {
      const shown = await page.locator(".bubble").allTextContents();
      return shown.slice(shown.indexOf(text ?? ""));
    },
  };
}

/** Runs in the page: keeps what its status bar says from now on. */
function recordStatus(): void {
  const statuses: string[] = [];
  Object.assign(globalThis, { statuses });
  const status = document.querySelector(".status [role=status]");
  if (!status) return;
  new MutationObserver(() => status.textContent && statuses.push(status.textContent)).observe(status, {
    childList: true,
    characterData: true,
  });
}

/** A user who returns when the connection is lost. */
class Guest {
  #said = 0;

  private constructor(
    readonly name: string,
    readonly user: ChatUser,
    public node: string,
  ) {}

  static async enter(name: string, { url }: Cluster): Promise<Guest> {
    const user = new ChatUser(built.guest, url);
    await user.do("logIn", name);
    return new Guest(name, user, (await user.do("enter", ROOM)) as string);
  }

  /** The first of these users whom the balancer passes to another node. */
  static async enterElsewhere(node: string, names: readonly string[], cluster: Cluster): Promise<Guest> {
    for (const name of names) {
      const guest = await Guest.enter(name, cluster);
      if (guest.node !== node) return guest;
    }
    throw new Error(`All are on node ${node}`);
  }

  async say(text: string): Promise<void> {
    await this.user.do("sendMessage", { text, channelId: ROOM });
  }

  /** Says some things, without waiting for one before the next. */
  async sayEach(count: number): Promise<string[]> {
    const texts = Array.from({ length: count }, (_, i) => `${this.name} ${i}`);
    await Promise.all(texts.map((text) => this.say(text)));
    return texts;
  }

  /** Says one thing after the other, as long as something has not come about. */
  async sayUntil(event: Promise<unknown>, most: number): Promise<string[]> {
    const texts: string[] = [];
    let isOver = false;
    const ending = event.then(() => {
      isOver = true;
    });
    while (!isOver && texts.length < most) {
      const text = `${this.name} meanwhile ${++this.#said}`;
      await this.say(text);
      texts.push(text);
    }
    await ending;
    return texts;
  }

  /** The next messages that are shown. */
  async hears(count: number): Promise<Message[]> {
    const heard: Message[] = [];
    while (heard.length < count) heard.push((await this.user.hears("newMessage")) as Message);
    return heard;
  }

  /** All messages up to one, whatever was before. */
  async hearsUntil(text: string): Promise<string[]> {
    const heard: string[] = [];
    while (heard.at(-1) !== text) heard.push(...(await this.hears(1)).map((message) => message.text));
    return heard;
  }

  /** Resolves when exactly these are in the room. */
  async sees(...names: readonly string[]): Promise<void> {
    const wanted = names.join();
    await this.user.hears("presence", (online: Presence[]) => online.map(({ name }) => name).join() === wanted);
  }

  /** The room goes on after an interruption. */
  async resumes(isComplete: boolean): Promise<void> {
    const resumed = (await this.user.hears("resume")) as { isComplete: boolean; node: string };
    expect(resumed.isComplete, this.name).toBe(isComplete);
    this.node = resumed.node;
  }
}
