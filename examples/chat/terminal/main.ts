import { parseArgs } from "node:util";
import { describeError } from "../client/describeError.js";
import { logIn } from "../client/Session.js";
import { Screen } from "./Screen.js";
import { TerminalChat } from "./TerminalChat.js";

const USAGE = "Usage: npm run chat -- --name Ann [--room general] [--url http://localhost:3000]";

const screen = new Screen();
try {
  const { name, room, url } = readArguments();
  const session = await logIn(name, url);
  const chat = new TerminalChat(session, url, screen);
  await chat.enter(room);
  screen.prompt((line) => chat.handleLine(line));
  await screen.ended;
  await chat.leave();
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
