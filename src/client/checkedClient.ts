import { CLIENT_OPTIONS, checkOptions, POOL_OPTIONS } from "../api/optionChecks.js";
import type { GGSocket } from "../api/rawSocket.js";
import type { SchemaEnds } from "../api/schema.js";
import { checkCallOptions } from "../connection/callOptions.js";
import { CheckedCalls } from "../connection/checkedCalls.js";
import type { ClientPlatform } from "./platform/platform.js";
import { type GGSocketPoolConfig, SocketPool } from "./pool.js";
import { socketClient } from "./socketClient.js";

/** A program that gives `connect()` this many set-ups makes one for each call. */
const ENOUGH_SETUPS = 11;

/** Makes clients whose options are checked, those of their calls included. */
export function checkedClient(platform: ClientPlatform): SchemaEnds["createClient"] {
  const checked: ClientPlatform = {
    ...platform,
    endpoint: { ...platform.endpoint, Calls: CheckedCalls, checkCallOptions },
  };
  return (schema, config) => {
    const { name: apiName } = schema;
    const warn = (message: string) => platform.logger(config.logger, apiName, platform.captureScope()).warn(message);
    checkOptions({ apiName, call: "createClient", warn }, config, CLIENT_OPTIONS);
    const checkSetups = (count: number) => {
      if (count === ENOUGH_SETUPS)
        warn(`${apiName}: pass connect() the same set-up each time, or use onConnect: it has ${count} of them`);
    };
    const { capabilities } = config;
    const isLeftOut = config.resume && capabilities && !capabilities.includes("resume");
    if (isLeftOut) warn(`${apiName}: resume has no effect, since capabilities do not include it`);
    return socketClient(schema, isLeftOut ? { ...config, resume: undefined } : config, {
      ...checked,
      checkSetups,
    });
  };
}

/** A pool that checks its options; it rejects with the error. */
export class CheckedSocketPool extends SocketPool {
  readonly #platform: ClientPlatform;

  constructor(platform: ClientPlatform) {
    super({ ...platform, endpoint: { ...platform.endpoint, checkCallOptions } });
    this.#platform = platform;
  }

  override async getOrConnect<TQuery extends object>(config: GGSocketPoolConfig<TQuery>): Promise<GGSocket> {
    this.#check(config, "getOrConnect");
    return super.getOrConnect(config);
  }

  override async connect<TQuery extends object>(config: GGSocketPoolConfig<TQuery>): Promise<GGSocket> {
    this.#check(config, "connect");
    return super.connect(config);
  }

  #check(config: object, call: string): void {
    const apiName = "GGSocketPool";
    const warn = (message: string) =>
      this.#platform.logger(undefined, apiName, this.#platform.captureScope()).warn(message);
    checkOptions({ apiName, call, warn }, config, POOL_OPTIONS);
  }
}
