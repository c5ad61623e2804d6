import { GGContext } from "@grest-ts/context";
import { AuthApi, type LogInResponse } from "../shared/AuthApi.js";
import { GG_AUTH_TOKEN } from "../shared/auth/keys.js";
import type { User } from "../shared/model.js";

/** Someone who is logged in. What runs inside a session shows its token to the server. */
export class Session {
  readonly user: User;
  readonly #context: GGContext;

  constructor(readonly logIn: LogInResponse) {
    this.user = logIn.user;
    this.#context = new GGContext("session").set(GG_AUTH_TOKEN, logIn.token);
  }

  /** A browser keeps no context past an `await`, so start each call in a `run` of its own. */
  run<R>(start: () => R): R {
    return this.#context.run(start);
  }
}

/**
 * Logs in by name.
 *
 * @param url of the server; absent in a browser, where it is the page's own
 * @throws EXISTS when someone of that name is there, VALIDATION_ERROR when it is no name
 */
export async function logIn(name: string, url?: string): Promise<Session> {
  const client = AuthApi.createClient(url === undefined ? {} : { url });
  return new Session(await client.logIn({ name }));
}
