import { GGContext } from "@grest-ts/context";
import { AuthApi, type LogInRequest, type LogInResponse } from "../shared/AuthApi.js";
import { GG_AUTH_TOKEN } from "../shared/auth/keys.js";
import type { User } from "../shared/model.js";

/** A logged-in user. Calls inside a session send its token to the server. */
export class Session {
  readonly user: User;
  readonly #context = new GGContext("session");
  #logIn: LogInResponse;

  constructor(logIn: LogInResponse) {
    this.user = logIn.user;
    this.#logIn = logIn;
    this.#context.set(GG_AUTH_TOKEN, logIn.token);
  }

  get logIn(): LogInResponse {
    return this.#logIn;
  }

  /**
   * Logs in again by the same name, where the server has forgotten the log-in.
   *
   * @throws EXISTS when another user has taken the name meanwhile
   */
  async renew(url?: string): Promise<void> {
    this.#logIn = await requestLogIn({ name: this.user.name, earlierToken: this.#logIn.token }, url);
    this.#context.set(GG_AUTH_TOKEN, this.#logIn.token);
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
  return new Session(await requestLogIn({ name }, url));
}

async function requestLogIn(request: LogInRequest, url: string | undefined): Promise<LogInResponse> {
  return AuthApi.createClient(url === undefined ? {} : { url }).logIn(request);
}
