/**
 * The contenders; `does` lists a contender's features besides requests, `leavesOut` what it does without here that this
 * package does in every call: what its file in `contenders/` does not turn on, or the contender does not have.
 */
export const contenders = {
  grest: {
    name: "@grest-ts/websocket",
    does: ["broadcast", "loop", "ask"],
    leavesOut:
      "Nothing: it validates input and output at both ends, checks a permission, sets a context, counts in metrics, limits the time of each call and has heartbeats.",
  },
  "grest-plain": {
    name: "… without batching",
    does: ["broadcast", "loop", "ask"],
    leavesOut: "Batches and the other extensions that 0.0.39 lacks; it does the rest of what the package does.",
  },
  handwritten: {
    name: "by hand on ws",
    does: ["broadcast", "loop", "ask"],
    leavesOut: "All of it: no validation, permissions, context, metrics, time-outs, heartbeats or answers to errors.",
  },
  "handwritten-corked": {
    name: "by hand, corked",
    does: ["broadcast", "loop", "ask"],
    leavesOut: "All of it, as the other by hand.",
  },
  "socket.io": {
    name: "socket.io",
    does: ["broadcast", "loop", "ask"],
    leavesOut: "Validation, permissions, a context, metrics and time-outs of calls.",
  },
  trpc: {
    name: "tRPC wsLink",
    does: [],
    leavesOut:
      "Permissions, a context, metrics, heartbeats and time-outs of calls; the server validates input and output with zod.",
  },
  "rpc-websockets": {
    name: "rpc-websockets",
    does: [],
    leavesOut: "Validation, permissions, a context, metrics, heartbeats and time-outs of calls.",
  },
  capnweb: {
    name: "capnweb",
    does: [],
    leavesOut: "Validation, permissions, a context, metrics, heartbeats and time-outs of calls.",
  },
  orpc: {
    name: "oRPC",
    does: [],
    leavesOut:
      "Permissions, a context, metrics, heartbeats and time-outs of calls; the server validates input and output with zod.",
  },
  river: {
    name: "@replit/river",
    does: [],
    leavesOut:
      "Validation of output, permissions, a context, metrics and time-outs of calls; the server validates input with TypeBox.",
  },
};

/** The contender that all ratios refer to. */
export const YARDSTICK = "handwritten";
