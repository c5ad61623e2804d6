import { describe, expect, it } from "vitest";
import { nativeTransport } from "../../src/transport/native.js";
import { SendProgress } from "../../src/transport/node/sendProgress.js";

/** The transport of a page's WebSocket with this much that waits, which the test changes. */
function nativeWith(bufferedAmount: number) {
  const socket = {
    OPEN: 1,
    readyState: 1,
    bufferedAmount,
    send(text: string) {
      socket.bufferedAmount += text.length;
    },
  };
  const transport = nativeTransport(socket as unknown as WebSocket);
  const hasMoved = () => {
    const before = last;
    last = transport.watchLife?.();
    return last !== before;
  };
  let last = transport.watchLife?.();
  return { socket, transport, hasMoved };
}

describe("what a native WebSocket has to send", () => {
  it("moves while it shrinks, and stands still while it does not", () => {
    const { socket, hasMoved } = nativeWith(100);
    socket.bufferedAmount = 60;
    expect(hasMoved()).toBe(true);
    expect(hasMoved()).toBe(false);
    socket.bufferedAmount = 0;
    expect(hasMoved()).toBe(true);
    expect(hasMoved()).toBe(false);
  });

  it("moves though more is added than leaves", () => {
    const { socket, transport, hasMoved } = nativeWith(100);
    socket.bufferedAmount = 90;
    transport.send(["x".repeat(50)]);
    expect(hasMoved()).toBe(true);
    transport.send(["x".repeat(50)]);
    expect(hasMoved()).toBe(false);
  });

  it("stands still when it leaves at once, as it does towards a dead peer at first", () => {
    const { socket, transport, hasMoved } = nativeWith(0);
    for (let i = 0; i < 3; i++) {
      transport.send(["x".repeat(50)]);
      socket.bufferedAmount = 0;
      expect(hasMoved()).toBe(false);
    }
  });
});

describe("what a socket of Node has to send", () => {
  it.each([
    ["a part of one large write is sent", [100, 100, 100], [100, 100, 70], true],
    ["a write is complete", [300, 200, 100], [300, 100, 100], true],
    ["a larger write follows a complete one", [1_100, 1_100, 100], [1_100, 1_000, 1_000], true],
    ["nothing is sent", [300, 200, 100], [300, 200, 100], false],
    ["only more is written", [300, 200, 100], [400, 300, 100], false],
    ["nothing waited, and all that is written leaves at once", [300, 0, 0], [400, 0, 0], false],
    ["nothing waited, and what is written waits", [300, 0, 0], [500, 200, 200], false],
  ] as const)("when %s", (_what, before, after, hasMoved) => {
    const progress = new SendProgress();
    const count = ([bytesWritten, waiting, writeQueueSize]: readonly [number, number, number]) =>
      progress.count(waiting, { bytesWritten, _handle: { writeQueueSize } });
    const first = count(before);
    expect(count(after) !== first).toBe(hasMoved);
  });

  it("moves when the TCP connection below TLS takes a part of a write", () => {
    const progress = new SendProgress();
    const counts = [900, 900, 400].map((writeQueueSize) =>
      progress.count(800, { bytesWritten: 800, _handle: { writeQueueSize: 850, _parent: { writeQueueSize } } }),
    );
    expect(counts).toEqual([0, 0, 1]);
  });

  it("is seen as a whole where a runtime shows no more", () => {
    const progress = new SendProgress();
    const counts = [0, 50, 70, 30, 30, 0, 0].map((waiting) => progress.count(waiting));
    expect(counts).toEqual([0, 0, 0, 1, 1, 2, 2]);
  });
});
