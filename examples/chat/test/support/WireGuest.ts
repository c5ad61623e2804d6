import { once } from "node:events";
import { onTestFinished } from "vitest";
import { WebSocket } from "ws";

/** A user without a program: sends and receives frames as they are. Ends with its test. */
export class WireGuest {
  readonly frames: string[] = [];

  private constructor(readonly socket: WebSocket) {
    socket.on("message", (data) => this.frames.push(...String(data).split("\n")));
    onTestFinished(() => socket.terminate());
  }

  /** One who has not said yet who it is. */
  static async dial(url: string): Promise<WireGuest> {
    const guest = new WireGuest(new WebSocket(`${url.replace("http", "ws")}/ws/chat`));
    await once(guest.socket, "open");
    return guest;
  }

  /** One who is connected, and in no room. */
  static async open(url: string, name: string): Promise<WireGuest> {
    const response = await fetch(`${url}/api/auth/login`, { method: "POST", body: JSON.stringify({ name }) });
    const { data } = (await response.json()) as { data: { token: string } };
    const guest = await WireGuest.dial(url);
    guest.send(`h:::{"authorization":"Bearer ${data.token}"}`);
    await guest.receives("k:");
    return guest;
  }

  static async in(room: string, url: string, name: string): Promise<WireGuest> {
    const guest = await WireGuest.open(url, name);
    await guest.call("joinRoom", "1", { roomId: room });
    return guest;
  }

  send(frame: string): void {
    this.socket.send(frame);
  }

  /** Calls a method, and resolves to the frame of the reply. */
  call(method: string, id: string, input: unknown): Promise<string> {
    this.send(`r:ChatApi.${method}:${id}:${JSON.stringify(input)}`);
    return this.receives(`s:ChatApi.${method}:${id}:`);
  }

  /** The first frame that begins so. */
  async receives(beginning: string): Promise<string> {
    for (;;) {
      const found = this.frames.find((frame) => frame.startsWith(beginning));
      if (found !== undefined) return found;
      await once(this.socket, "message");
    }
  }
}
