import { EXISTS, NOT_AUTHORIZED } from "@grest-ts/schema";
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
  const screen = new ChatScreen(session, {
    leave,
    save: () => saveSession(session),
    fail(error) {
      const isUnknown = NOT_AUTHORIZED.is(error);
      // Another user may have the name by now.
      if (isUnknown || EXISTS.is(error)) leave();
      if (isUnknown) toast("The server does not know you any more: please log in again");
      else toastError(error);
    },
  });
  app.replaceChildren(screen.root);
  await screen.connect();
}
