/** The contenders; `does` lists a contender's features besides requests. */
export const contenders = {
  grest: { name: "@grest-ts/websocket", does: ["broadcast", "ask"] },
  "grest-plain": { name: "… without batching", does: ["broadcast", "ask"] },
  handwritten: { name: "by hand on ws", does: ["broadcast", "ask"] },
  "handwritten-corked": { name: "by hand, corked", does: ["broadcast", "ask"] },
  "socket.io": { name: "socket.io", does: ["broadcast", "ask"] },
  trpc: { name: "tRPC wsLink", does: [] },
  "rpc-websockets": { name: "rpc-websockets", does: [] },
  capnweb: { name: "capnweb", does: [] },
  orpc: { name: "oRPC", does: [] },
};

/** The contender that all ratios refer to. */
export const YARDSTICK = "handwritten";
