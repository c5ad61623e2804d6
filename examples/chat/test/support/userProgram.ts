import { logIn, type Session } from "../../client/Session.js";
import { ChatApi } from "../../shared/ChatApi.js";
import { RoomsApi } from "../../shared/RoomsApi.js";
import type { UserCommand, UserReport } from "./userProtocol.js";

/** A chat user as a separate program, on the built packages: runs a test's commands, reports the server's events. */

const [url = ""] = process.argv.slice(2);
const client = ChatApi.createClient({ url });
const rooms = RoomsApi.createClient({ url });
let session: Session | undefined;

const report = (message: UserReport) => process.send?.(message);
const hear = (event: string) => (data: unknown) => void report({ event, data });

client.incoming.on({
  newMessage: hear("newMessage"),
  roomNews: hear("roomNews"),
  typing: hear("typing"),
  messageRead: hear("messageRead"),
  presence: hear("presence"),
  areYouThere: () => true,
});
client.onClose((reason) => report({ event: "close", data: reason }));

const inSession = <R>(start: () => R): R => (session ? session.run(start) : start());

const actions: Partial<Record<UserCommand["action"], (data: never) => PromiseLike<unknown>>> = {
  logIn: async (name: string) => {
    session = await logIn(name, url);
    return session.logIn;
  },
  connect: () => inSession(() => client.connect()),
  disconnect: () => client.disconnect(),
  history: (roomId: string) => inSession(() => rooms.history({ roomId })),
  rooms: () => inSession(() => rooms.list()),
  joinRoom: (roomId: string) => client.outgoing.joinRoom({ roomId }),
  sendMessage: (message: { text: string; channelId: string }) => client.outgoing.sendMessage(message),
  startTyping: (channelId: string) => client.outgoing.startTyping({ channelId }),
  markAsRead: (messageId: string) => client.outgoing.markAsRead({ messageId }),
};

process.on("message", async ({ id, action, data }: UserCommand) => {
  try {
    report({ id, ok: await actions[action]?.(data as never) });
  } catch (error) {
    report({ id, error });
  }
});
process.once("disconnect", () => client.close());
