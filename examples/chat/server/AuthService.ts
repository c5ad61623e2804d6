import { EXISTS } from "@grest-ts/schema";
import type { LogInRequest, LogInResponse } from "../shared/AuthApi.js";
import type { ChatService } from "./ChatService.js";
import { type TokenStore, userIdOf } from "./TokenStore.js";

/** Serves AuthApi. */
export class AuthService {
  constructor(
    private readonly tokens: TokenStore,
    private readonly chat: ChatService,
  ) {}

  async logIn({ name }: LogInRequest): Promise<LogInResponse> {
    if (await this.chat.isThere(userIdOf(name))) {
      throw new EXISTS({ displayMessage: `${name} is here already: choose another name` });
    }
    return this.tokens.issue(name);
  }
}
