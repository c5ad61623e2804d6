import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { framesOf } from "../../src/cluster/frames.js";
import { Pipe, type Send } from "../../src/cluster/pipe.js";
import { MAX_WAITING_MS, WaitingRequests } from "../../src/cluster/waiting.js";

const tick = () => new Promise<void>((resolve) => process.nextTick(resolve));
const frame = (n: number) => ({ op: `${n}` });

/** A pipe whose messages a test takes. */
function pipe(fail?: () => void) {
  const sent: { frames: readonly unknown[]; onSent: Parameters<Send>[1] }[] = [];
  const made = new Pipe((message, onSent) => {
    sent.push({ frames: framesOf(message), onSent });
    fail?.();
  });
  return {
    pipe: made,
    sent,
    frames: () => sent.map(({ frames }) => frames.map((one) => Number((one as { op: string }).op))),
  };
}

describe("a pipe", () => {
  it("sends what comes in a tick together, and then what came while that was taken", async () => {
    const { pipe: made, sent, frames } = pipe();
    for (const n of [1, 2, 3]) made.push(frame(n), 10);
    expect([made.backlog, made.backlogFrames]).toEqual([0, 0]);
    await tick();
    for (const n of [4, 5]) made.push(frame(n), 10);
    await tick();
    made.push(frame(6), 10);
    expect(frames()).toEqual([[1, 2, 3]]);
    expect([made.backlog, made.backlogFrames]).toEqual([30, 3]);
    sent[0]!.onSent(null);
    expect(frames()).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect([made.backlog, made.backlogFrames]).toEqual([0, 0]);
  });

  it("says when everything is taken", async () => {
    const { pipe: made, sent } = pipe();
    const onEmpty = vi.fn();
    made.onEmpty = onEmpty;
    made.push(frame(1), 10);
    await tick();
    made.push(frame(2), 10);
    sent[0]!.onSent(null);
    expect(onEmpty).not.toHaveBeenCalled();
    sent[1]!.onSent(null);
    sent[1]!.onSent(null);
    expect(onEmpty).toHaveBeenCalledOnce();
  });

  it("goes on after a message that is not sent", async () => {
    let fails = true;
    const {
      pipe: made,
      sent,
      frames,
    } = pipe(() => {
      if (fails) throw new Error("the channel is closed");
    });
    made.push(frame(1), 10);
    await tick();
    await tick();
    fails = false;
    made.push(frame(2), 10);
    await tick();
    sent[1]!.onSent(new Error("the channel is closed"));
    made.push(frame(3), 10);
    await tick();
    expect(frames()).toEqual([[1], [2], [3]]);
  });
});

describe("requests that wait", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function waiting(requests: WaitingRequests, id: number, isSent: boolean, isPublication = true) {
    const reject = vi.fn();
    const since = performance.now();
    requests.add({ id, frame: frame(id), size: 5, isKept: true, isPublication, isSent, resolve() {}, reject, since });
    return reject;
  }

  it("are rejected one by one when their time is over, with one timer for all", () => {
    const requests = new WaitingRequests();
    const first = waiting(requests, 1, true);
    vi.advanceTimersByTime(1_000);
    const second = waiting(requests, 2, false);
    const answered = waiting(requests, 3, true);
    expect(vi.getTimerCount()).toBe(1);
    requests.take(3);
    vi.advanceTimersByTime(MAX_WAITING_MS - 1_001);
    expect(first).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(first).toHaveBeenCalledWith(expect.objectContaining({ reason: "timeout", mayHaveBeenPublished: true }));
    expect(second).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1_000);
    expect(second).toHaveBeenCalledWith(expect.objectContaining({ reason: "timeout", mayHaveBeenPublished: false }));
    expect(answered).not.toHaveBeenCalled();
    expect([[...requests], vi.getTimerCount(), requests.kept, requests.keptSize]).toEqual([[], 0, 0, 0]);
  });

  it("count those that wait for the bus", () => {
    const requests = new WaitingRequests();
    for (const id of [1, 2, 3]) waiting(requests, id, false);
    expect([requests.kept, requests.keptSize]).toEqual([3, 15]);
    requests.mark([...requests][0]!, true);
    requests.mark([...requests][0]!, true);
    expect(requests.kept).toBe(2);
    requests.mark([...requests][0]!, false);
    requests.take(2);
    expect(requests.kept).toBe(2);
    const read = waiting(requests, 4, true, false);
    requests.reject("closed", "it was closed");
    expect(read).toHaveBeenCalledWith(expect.objectContaining({ reason: "closed", mayHaveBeenPublished: false }));
    expect([requests.kept, requests.keptSize, vi.getTimerCount()]).toEqual([0, 0, 0]);
  });
});
