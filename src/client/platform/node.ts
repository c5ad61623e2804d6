import { GG_DISCOVERY } from "@grest-ts/discovery";
import { CheckedCalls } from "../../connection/checkedCalls.js";
import { CountingInbox } from "../../connection/countingInbox.js";
import { hasService } from "../../connection/locate.js";
import { loggerOf } from "../../connection/logger.js";
import { serverError } from "../../connection/methods/outcome.js";
import { captureScope } from "../../connection/node/asyncScope.js";
import { showSentences } from "../../connection/node/inspection.js";
import { limitedParser } from "../../connection/node/limitedParser.js";
import { shareSignal } from "../../connection/node/shareSignal.js";
import { whenSent } from "../../connection/node/whenSent.js";
import { PendingTable } from "../../connection/pendingTable.js";
import { throttledLogger } from "../../connection/throttledLogger.js";
import { beginTrace, TracedMessage } from "../../connection/trace.js";
import { CLIENT_CAPABILITIES } from "../../protocol/capabilities.js";
import { MAX_DEPTH, MAX_VALUES } from "../../protocol/depth.js";
import { nativeTransport } from "../../transport/native.js";
import { dialWs } from "../node/dial.js";
import type { ClientPlatform } from "./platform.js";

showSentences();

/** Clients in Node: `ws` below, discovery for what has no URL. */
export const nodePlatform: ClientPlatform = {
  offered: CLIENT_CAPABILITIES,
  dial: (url, { webSocket: Native, connectOptions } = {}) =>
    Native ? nativeTransport(new Native(url)) : dialWs(url, connectOptions),
  captureScope,
  logger: (...config) => throttledLogger(loggerOf(...config)),
  beginTrace,
  completeHeaders(headers) {
    for (const [name, value] of Object.entries(headers)) {
      if (typeof (value ?? "") !== "string")
        throw serverError(`The header ${name} of the handshake is not text`, "invalid-input");
    }
  },
  endpoint: {
    Message: TracedMessage,
    Inbox: CountingInbox,
    Calls: CheckedCalls,
    PendingCalls: PendingTable,
    shareSignal,
    whenSent,
    parseLimited: limitedParser({ maxDepth: MAX_DEPTH, maxValues: MAX_VALUES }),
  },
  onWake: () => () => {},
  async locate(apiName, url) {
    if (url === "")
      throw serverError(`${apiName}: url "" means the page's own origin, and there is no page here`, "invalid-input");
    const discovery = hasService(GG_DISCOVERY) ? GG_DISCOVERY.get() : undefined;
    if (!discovery) {
      throw serverError(
        `${apiName}: no url was given and no discovery client is set. Pass {url} or set GG_DISCOVERY`,
        "invalid-input",
      );
    }
    try {
      return await discovery.discoverApi(apiName);
    } catch (error) {
      throw serverError(`Service discovery failed for WebSocket API ${apiName}`, "unreachable", { cause: error });
    }
  },
};
