import { GGContext } from "@grest-ts/context";
import { AuthApi, type LogInResponse } from "../shared/AuthApi.js";
import { GG_AUTH_TOKEN } from "../shared/auth/keys.js";
import type { User } from "../shared/model.js";

/** A logged-in user. Calls inside a session send its token to the server. */
export class Session {
  readonly user: User;
  readonly #context: GGContext;

  constructor(readonly logIn: LogInResponse) {
    this.user = logIn.user;
    this.#context = new GGContext("session").set(GG_AUTH_TOKEN, logIn.token);
  }

  /** A browser loses the context after an `await`, so start each call in its own `run`. */
  run<R>(start: () => R): R {
    return this.#context.run(start);
  }
}

/**
 * Logs in by name.
 *
 * @param url of the server; absent in a browser, where it is the page's own
 * @throws EXISTS when a user of that name is connected, VALIDATION_ERROR when the name is invalid
 */
export async function logIn(name: string, url?: string): Promise<Session> {
  const client = AuthApi.createClient(url === undefined ? {} : { url });
  return new Session(await client.logIn({ name }));
}
