import { Program } from "./Program.js";
import type { UserCommand, UserReport } from "./userProtocol.js";

/** A chat user in a process of its own; see `userProgram.ts`. */
export class ChatUser {
  readonly #program: Program;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>();
  readonly #received: { event: string; data: unknown }[] = [];
  #wake: () => void = () => {};
  #lastId = 0;

  constructor(path: string, url: string) {
    this.#program = new Program(path, [url]).endWithTest();
    this.#program.process.on("message", (report: UserReport) => this.#receive(report));
    this.#program.ended.then(() => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`The user ended:\n${this.#program.output}`));
    });
  }

  /** A user who is logged in, connected and in a room. */
  static async in(room: string, path: string, url: string, name: string): Promise<ChatUser> {
    const user = new ChatUser(path, url);
    await user.do("logIn", name);
    await user.do("connect");
    await user.do("joinRoom", room);
    return user;
  }

  /** Ends its program at once. */
  async stop(): Promise<void> {
    await this.#program.stop("SIGKILL");
  }

  do(action: UserCommand["action"], data?: unknown): Promise<unknown> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#program.process.send({ id, action, data } satisfies UserCommand);
    });
  }

  /** The next push of a method that passes; earlier ones that do not pass are dropped. */
  async hears(event: string, passes: (data: never) => boolean = () => true): Promise<unknown> {
    for (;;) {
      const at = this.#received.findIndex((one) => one.event === event);
      const [found] = at < 0 ? [] : this.#received.splice(at, 1);
      if (found && passes(found.data as never)) return found.data;
      if (!found) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  #receive(report: UserReport): void {
    if ("event" in report) {
      this.#received.push(report);
      this.#wake();
      return;
    }
    const waiting = this.#waiting.get(report.id);
    this.#waiting.delete(report.id);
    if ("error" in report) waiting?.reject(report.error);
    else waiting?.resolve(report.ok);
  }
}
