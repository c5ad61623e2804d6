import { EXISTS } from "@grest-ts/schema";
import type { LogInRequest, LogInResponse } from "../shared/AuthApi.js";
import type { ChatService } from "./ChatService.js";
import { userIdOf } from "./stores/logIn.js";
import type { LogIns } from "./stores/stores.js";

/** Serves AuthApi. */
export class AuthService {
  constructor(
    private readonly logIns: LogIns,
    private readonly chat: ChatService,
  ) {}

  async logIn({ name, earlierToken }: LogInRequest): Promise<LogInResponse> {
    const renewed = earlierToken === undefined ? undefined : await this.logIns.findRenewal(name, earlierToken);
    if (renewed) return renewed;
    if (await this.chat.isThere(userIdOf(name))) {
      throw new EXISTS({ displayMessage: `${name} is here already: choose another name` });
    }
    const { logIn, endedId } = await this.logIns.issue(name, earlierToken);
    // Its connections are those that have not answered; one that comes back later is not let in.
    if (endedId !== undefined) await this.chat.endLogIn(endedId);
    return logIn;
  }
}
