import { NOT_AUTHORIZED } from "@grest-ts/schema";
import type { Session } from "../client/Session.js";
import { byId } from "./dom.js";
import { forgetSession, savedSession, saveSession } from "./savedSession.js";
import { ChatScreen } from "./screens/ChatScreen.js";
import { LogInScreen } from "./screens/LogInScreen.js";
import { toast, toastError } from "./toasts.js";

const app = byId("app");

const session = savedSession();
if (session) openChat(session);
else askForName();

function askForName(): void {
  const screen = new LogInScreen((session) => {
    saveSession(session);
    openChat(session);
  });
  app.replaceChildren(screen.root);
  screen.focus();
}

async function openChat(session: Session): Promise<void> {
  const leave = () => {
    screen.dispose();
    forgetSession();
    askForName();
  };
  const fail = (error: unknown) => {
    if (!NOT_AUTHORIZED.is(error)) return toastError(error);
    // The server keeps log-ins in memory, so this one is older than its last restart.
    leave();
    toast("The server does not know you any more: please log in again");
  };
  const screen = new ChatScreen(session, leave, fail);
  app.replaceChildren(screen.root);
  await screen.connect();
}
