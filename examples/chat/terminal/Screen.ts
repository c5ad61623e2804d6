import { clearLine, createInterface, cursorTo, type Interface } from "node:readline";

const PROMPT = "> ";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Reads and prints lines. Output that arrives while the user types is printed above the input line. */
export class Screen {
  /** Resolves at the end of the input, at Ctrl-C, or when `end()` is called. */
  readonly ended: Promise<void>;
  #end!: () => void;
  #input: Interface | undefined;
  #isEnded = false;

  constructor() {
    this.ended = new Promise((resolve) => {
      this.#end = () => {
        this.#isEnded = true;
        resolve();
      };
    });
  }

  /** Starts reading; lines are handled one after another. */
  prompt(handle: (line: string) => Promise<void>): void {
    // Otherwise reading keeps the process alive.
    if (this.#isEnded) return;
    const { stdin: input, stdout: output } = process;
    this.#input = createInterface({ input, output, prompt: PROMPT, terminal: Boolean(input.isTTY && output.isTTY) });
    let last = Promise.resolve();
    this.#input.on("line", (line) => {
      last = last.then(() => handle(line)).then(() => this.#showPrompt());
    });
    const close = () => this.#input?.close();
    this.#input.on("SIGINT", close);
    for (const signal of SIGNALS) process.once(signal, close);
    this.#input.on("close", () => {
      // A prompt would open it again, and keep the process alive; or throw, from Node 24 on.
      this.#input = undefined;
      // The next signal ends the process at once.
      for (const signal of SIGNALS) process.off(signal, close);
      // Piped input is handled up to its last line first.
      void last.then(this.#end);
    });
    this.#showPrompt();
  }

  print(text: string): void {
    this.#write(() => console.log(text));
  }

  fail(text: string): void {
    this.#write(() => console.error(text));
  }

  /** Shows a text in front of the input line, if there is one, until it is "". */
  showStatus(text: string): void {
    this.#input?.setPrompt(text ? `${text} ${PROMPT}` : PROMPT);
    this.#showPrompt();
  }

  end(): void {
    this.#input?.close();
    this.#end();
  }

  #write(write: () => void): void {
    if (!this.isInteractive) return write();
    clearLine(process.stdout, 0);
    cursorTo(process.stdout, 0);
    write();
    this.#showPrompt();
  }

  #showPrompt(): void {
    if (this.isInteractive) this.#input?.prompt(true);
  }

  get isInteractive(): boolean {
    return this.#input?.terminal === true;
  }
}
