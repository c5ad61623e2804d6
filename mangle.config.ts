/**
 * Members that get short names in the build for browsers: they are this package's own, on objects that no program and no
 * neighbouring package ever sees by these names. `test/built.test.ts` checks that none is declared to them.
 */
export const INTERNAL_MEMBERS: readonly string[] = [
  // The line and its listener.
  ...["attach", "onText", "onClosed", "onFailed"],
  // A connection and its parts.
  ...["endpoint", "outbox", "calls", "inbox", "errorCallbacks", "finish", "idle", "checkIdle", "reply"],
  ...[
    "isNamed",
    "slot",
    "receive",
    "settle",
    "fail",
    "handle",
    "running",
    "stop",
    "deliverSoon",
    "expectNoMoreHandlers",
  ],
  ...["sendFrame", "onDrain", "received", "onAlive", "can", "cancel", "started", "ended"],
  ...["gate", "refusal", "ignores", "hold", "look", "isTooDeep", "waiting", "handOver", "closeCallbacks"],
  ...["flush", "discard", "wasSent", "isEmpty", "owner", "ownerOf", "expiresAt", "onExpired"],
  ...["takeUncontracted", "Message", "beginTrace", "inherited", "isRequest", "runningRequests", "failAll"],
  // What connections have in common.
  ...["table", "metrics", "scope", "handled", "sent"],
  ...["messagePrefix", "requestPrefix", "hasReply", "readInput", "writeInput", "writeResult", "readReply"],
  // The client.
  ...[
    "dial",
    "captureScope",
    "locate",
    "onWake",
    "knownErrors",
    "accept",
    "policy",
    "lasted",
    "onEnd",
    "isOver",
    "onBegin",
  ],
  ...["connection", "whenReady", "wasConnected", "leave", "reconnectNow", "onLeave", "onHurry", "draft"],
];
