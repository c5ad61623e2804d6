import { Session } from "../client/Session.js";
import { IsLogInResponse } from "../shared/AuthApi.js";

const KEY = "chat-session";

/** The log-in of this window, which survives a reload and is not shared with other windows. */
export function savedSession(): Session | undefined {
  try {
    return new Session(IsLogInResponse.parse(JSON.parse(sessionStorage.getItem(KEY) ?? "")));
  } catch {
    return undefined;
  }
}

export function saveSession(session: Session): void {
  sessionStorage.setItem(KEY, JSON.stringify(session.logIn));
}

export function forgetSession(): void {
  sessionStorage.removeItem(KEY);
}
