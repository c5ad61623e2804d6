import { parseArgs } from "node:util";
import { SERVER_ERROR } from "@grest-ts/schema";
import { describeError } from "../client/describeError.js";
import { logIn, type Session } from "../client/Session.js";
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
  screen.fail(describeError(error));
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
    return { name, room, url };
  } catch (error) {
    throw new Error(`${describeError(error)}\n${USAGE}`);
  }
}

async function logInAt(url: string, name: string): Promise<Session> {
  try {
    return await logIn(name, url);
  } catch (error) {
    if (!SERVER_ERROR.is(error)) throw error;
    throw new Error(`No chat at ${url}: ${describeError(error)}\nStart one with \`npm start\`, or say --url`);
  }
}
