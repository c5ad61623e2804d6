import { Connection } from "../../client/Connection.js";
import { logIn } from "../../client/Session.js";
import type { Message } from "../../shared/model.js";
import type { UserCommand, UserReport } from "./userProtocol.js";

/** A chat user with the client of the page, which returns by itself: reports each message that it would show, once. */

const [url = ""] = process.argv.slice(2);
const known = new Set<string>();
const pushed = new Set<string>();
let connection: Connection;
let room = "";

const report = (message: UserReport) => process.send?.(message);
const hear = (event: string) => (data: unknown) => void report({ event, data });

function show(messages: readonly Message[]): void {
  for (const message of messages) {
    if (known.has(message.id)) continue;
    known.add(message.id);
    report({ event: "newMessage", data: message });
  }
}

const actions: Partial<Record<UserCommand["action"], (data: never) => PromiseLike<unknown>>> = {
  logIn: async (name: string) => {
    const session = await logIn(name, url);
    connection = new Connection(
      session,
      {
        onState: hear("state"),
        onMessage(message) {
          // Pushed twice, it is reported twice.
          if (pushed.has(message.id)) known.delete(message.id);
          pushed.add(message.id);
          show([message]);
        },
        onNews: hear("roomNews"),
        onTyping: hear("typing"),
        onRead: hear("messageRead"),
        onPresence: hear("presence"),
        async onResume(resumption) {
          report({ event: "resume", data: { ...resumption, node: connection.node } });
          if (!resumption.isComplete) show(await connection.history(room));
        },
        onRoomLost: hear("roomLost"),
        onEnd: hear("end"),
      },
      url,
    );
    return session.logIn;
  },
  enter: async (roomId: string) => {
    await connection.open();
    await connection.join(roomId);
    room = roomId;
    show(await connection.history(roomId));
    return connection.node;
  },
  sendMessage: ({ text, channelId }: { text: string; channelId: string }) => connection.send(channelId, text),
  startTyping: async (channelId: string) => connection.startTyping(channelId),
  markAsRead: async (messageId: string) => connection.markAsRead(messageId),
  disconnect: () => connection.close(),
};

process.on("message", async ({ id, action, data }: UserCommand) => {
  try {
    report({ id, ok: await actions[action]?.(data as never) });
  } catch (error) {
    report({ id, error });
  }
});
process.once("disconnect", () => process.exit());
