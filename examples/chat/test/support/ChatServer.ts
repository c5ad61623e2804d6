import { Program } from "./Program.js";

/** The built server on a port of its own. */
export class ChatServer {
  private constructor(
    readonly program: Program,
    readonly url: string,
  ) {}

  static async start(path: string, port = "0"): Promise<ChatServer> {
    const program = new Program(path, [], { PORT: port, REDIS_URL: "" });
    const [url] = await program.printed(/http:\/\/localhost:\d+/);
    return new ChatServer(program, url);
  }

  get port(): string {
    return new URL(this.url).port;
  }

  stop(): Promise<number | null> {
    return this.program.stop();
  }
}
