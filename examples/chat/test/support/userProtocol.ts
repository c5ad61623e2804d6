/** What a test tells a chat user. */
export interface UserCommand {
  readonly id: number;
  readonly action:
    | "logIn"
    | "connect"
    | "disconnect"
    | "history"
    | "rooms"
    | "joinRoom"
    | "sendMessage"
    | "startTyping"
    | "markAsRead";
  readonly data?: unknown;
}

/** What the user reports: the outcome of a command, or something that it heard from the server. */
export type UserReport =
  | { readonly id: number; readonly ok: unknown }
  | { readonly id: number; readonly error: unknown }
  | { readonly event: string; readonly data: unknown };
