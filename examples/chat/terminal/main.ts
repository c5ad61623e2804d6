import { parseArgs } from "node:util";
import { SERVER_ERROR } from "@grest-ts/schema";
import { describeError } from "../client/describeError.js";
import { noticeWait, STILL_WAITING } from "../client/noticeWait.js";
import { logIn, type Session } from "../client/Session.js";
import { printable } from "./printable.js";
import { Screen } from "./Screen.js";
import { TerminalChat } from "./TerminalChat.js";

const USAGE = "Usage: npm run chat -- --name Ann [--room general] [--url http://localhost:3000]";

const screen = new Screen();
try {
  const { name, room, url } = readArguments();
  const session = await logInAt(url, name);
  const chat = new TerminalChat(session, url, screen);
  await chat.enter(room);
  screen.prompt((line) => chat.handleLine(line));
  await screen.ended;
  await chat.disconnect();
} catch (error) {
  screen.fail(describeError(error).split("\n").map(printable).join("\n"));
  process.exitCode = 1;
}

function readArguments() {
  const options = {
    name: { type: "string" },
    room: { type: "string", default: "general" },
    url: { type: "string", default: "http://localhost:3000" },
  } as const;
  try {
    const { name, room, url } = parseArgs({ options }).values;
    if (!name) throw new Error("A name is needed");
    if (!/^https?:\/\//.test(url)) throw new Error(`--url begins with http:// or https://, as in http://${url}`);
    return { name, room, url };
  } catch (error) {
    throw new Error(`${describeError(error)}\n${USAGE}`);
  }
}

async function logInAt(url: string, name: string): Promise<Session> {
  try {
    return await noticeWait(logIn(name, url), () => screen.print(STILL_WAITING));
  } catch (error) {
    if (!SERVER_ERROR.is(error)) throw error;
    throw new Error(`No chat at ${url}: ${describeError(error)}\nStart one with \`npm start\`, or say --url`);
  }
}
