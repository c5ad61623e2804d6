import type { GGBus } from "@grest-ts/websocket";
import type { LogInResponse } from "../../shared/AuthApi.js";
import type { LogIn } from "../../shared/auth/keys.js";
import type { Message } from "../../shared/model.js";

/** Who is logged in. */
export interface LogIns {
  /**
   * Logs a name in. There are no passwords: the same name is the same user, whose earlier log-in ends.
   *
   * @param earlierToken of the user, which was forgotten: the same one leads to the same log-in, for each of the user's windows
   */
  issue(
    name: string,
    earlierToken?: string,
  ): Promise<{ readonly logIn: LogInResponse; readonly endedId: string | undefined }>;
  /** The log-in that another window of the user has got for the same earlier token. */
  findRenewal(name: string, earlierToken: string): Promise<LogInResponse | undefined>;
  /** The log-in of a token, unless it has ended. */
  find(token: string): Promise<LogIn | undefined>;
}

/** The latest messages of the rooms. */
export interface Messages {
  add(message: Message): Promise<void>;
  /** Oldest first. */
  latest(roomId: string): Promise<Message[]>;
}

/** Everything that the chat remembers, and what connects it with its other nodes. */
export interface Stores {
  readonly logIns: LogIns;
  readonly messages: Messages;
  /** Absent when there is one node only. */
  readonly bus?: GGBus | undefined;
  close(): Promise<void>;
}

/** How many messages a room keeps. */
export const HISTORY_LIMIT = 200;
