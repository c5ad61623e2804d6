/** A test's command to a chat user. */
export interface UserCommand {
  readonly id: number;
  readonly action:
    | "logIn"
    | "connect"
    | "disconnect"
    | "history"
    | "rooms"
    | "joinRoom"
    | "enter"
    | "sendMessage"
    | "startTyping"
    | "markAsRead";
  readonly data?: unknown;
}

/** A report of the user: the outcome of a command, or an event of the server. */
export type UserReport =
  | { readonly id: number; readonly ok: unknown }
  | { readonly id: number; readonly error: unknown }
  | { readonly event: string; readonly data: unknown };
