import { EXISTS, VALIDATION_ERROR } from "@grest-ts/schema";
import { CloseCode, failureOf } from "@grest-ts/websocket";
import { describeError } from "../client/describeError.js";
import type { Session } from "../client/Session.js";
import { byId } from "./dom.js";
import { forgetSession, savedSession, saveSession } from "./savedSession.js";
import { ChatScreen } from "./screens/ChatScreen.js";
import { LogInScreen, type LogInStart } from "./screens/LogInScreen.js";

const app = byId("app");

const session = savedSession();
if (session) openChat(session);
else askForName();

function askForName(start?: LogInStart): void {
  const screen = new LogInScreen((session) => {
    saveSession(session);
    openChat(session, start?.draft);
  }, start);
  document.title = "Chat";
  app.replaceChildren(screen.root);
  screen.focus();
}

async function openChat(session: Session, draft?: string): Promise<void> {
  const leave = (start?: LogInStart) => {
    screen.dispose();
    forgetSession();
    askForName(start);
  };
  const screen = new ChatScreen(
    session,
    {
      leave,
      save: () => saveSession(session),
      end(error, draft) {
        if (!mustLogIn(error)) return false;
        leave({ name: session.user.name, problem: describeError(error), draft });
        return true;
      },
    },
    draft,
  );
  app.replaceChildren(screen.root);
  await screen.connect();
}

/** Whether another user has the name by now, or it is none; or this user has logged in elsewhere. */
function mustLogIn(error: unknown): boolean {
  return EXISTS.is(error) || VALIDATION_ERROR.is(error) || failureOf(error)?.closeCode === CloseCode.POLICY_VIOLATION;
}
