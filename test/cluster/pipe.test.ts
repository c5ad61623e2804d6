import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { framesOf } from "../../src/cluster/frames.js";
import { MAX_FRAME, Pipe, type Send } from "../../src/cluster/pipe.js";
import { MAX_WAITING, MAX_WAITING_CHARACTERS, MAX_WAITING_MS, WaitingRequests } from "../../src/cluster/waiting.js";

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
    for (const n of [1, 2, 3]) made.push({ frame: frame(n), size: 10 });
    expect(made.backlog).toBe(330);
    await tick();
    expect(made.backlog).toBe(0);
    for (const n of [4, 5]) made.push({ frame: frame(n), size: 10 });
    await tick();
    made.push({ frame: frame(6), size: 10 });
    expect(frames()).toEqual([[1, 2, 3]]);
    expect(made.backlog).toBe(330);
    sent[0]!.onSent(null);
    expect(frames()).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(made.backlog).toBe(0);
  });

  it("says when everything is taken", async () => {
    const { pipe: made, sent } = pipe();
    const onEmpty = vi.fn();
    made.onEmpty = onEmpty;
    made.push({ frame: frame(1), size: 10 });
    await tick();
    made.push({ frame: frame(2), size: 10 });
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
    made.push({ frame: frame(1), size: 10 });
    await tick();
    await tick();
    fails = false;
    made.push({ frame: frame(2), size: 10 });
    await tick();
    sent[1]!.onSent(new Error("the channel is closed"));
    made.push({ frame: frame(3), size: 10 });
    await tick();
    expect(frames()).toEqual([[1], [2], [3]]);
  });

  it("cuts what is long, and sends a part when the one before is taken", async () => {
    const { pipe: made, sent, frames } = pipe();
    const sizes = [2_000_000, 2_000_000, 2_000_000, 9_000_000, 10, 10, 4_300_000];
    for (const [n, size] of sizes.entries()) made.push({ frame: frame(n), size });
    await tick();
    for (let i = 0; i < sent.length; i++) {
      expect(sent.length).toBe(i + 1);
      sent[i]!.onSent(null);
    }
    expect(frames()).toEqual([[0, 1], [2], [3], [4, 5], [6]]);
  });

  it("sends all parts at once when it is flushed", async () => {
    const { pipe: made, sent, frames } = pipe();
    const onEmpty = vi.fn();
    made.onEmpty = onEmpty;
    for (const n of [1, 2, 3]) made.push({ frame: frame(n), size: 4_000_000 });
    made.flush();
    expect(frames()).toEqual([[1], [2], [3]]);
    for (const { onSent } of sent) {
      expect(onEmpty).not.toHaveBeenCalled();
      onSent(null);
    }
    expect(onEmpty).toHaveBeenCalledOnce();
    await tick();
    expect([sent.length, made.backlog]).toEqual([3, 0]);
  });

  it("leaves out what is not wanted any more, and what was dropped", async () => {
    const { pipe: made, sent, frames } = pipe();
    const onEmpty = vi.fn();
    made.onEmpty = onEmpty;
    for (const n of [1, 2, 3]) made.push({ frame: frame(n), size: 10, onSend: () => n === 2 });
    await tick();
    expect(frames()).toEqual([[2]]);
    made.push({ frame: frame(4), size: 10 });
    made.clear();
    expect(made.backlog).toBe(0);
    sent[0]!.onSent(null);
    expect([onEmpty.mock.calls.length, sent.length]).toEqual([1, 1]);
    made.push({ frame: frame(5), size: 10, onSend: () => false });
    await tick();
    expect([onEmpty.mock.calls.length, sent.length]).toEqual([2, 1]);
  });

  it("refuses only what cannot be sent, wherever it is", async () => {
    for (const bad of [[0], [4], [7], [0, 7], [3, 4, 5], [0, 1, 2, 3, 4, 5, 6, 7]]) {
      const passed: number[] = [];
      const refused: number[] = [];
      const onEmpty = vi.fn();
      const made = new Pipe((message, onSent) => {
        passed.push(...framesOf(JSON.parse(JSON.stringify(message))).map((one) => (one as { n: number }).n));
        process.nextTick(onSent, null);
      });
      made.onEmpty = onEmpty;
      for (let n = 0; n < 8; n++) {
        const body = bad.includes(n) ? 1n : "text";
        made.push({ frame: { n, body }, size: 10, onRefused: () => refused.push(n) });
      }
      await vi.waitFor(() => expect(onEmpty).toHaveBeenCalled());
      expect(refused).toEqual(bad);
      expect(passed).toEqual([0, 1, 2, 3, 4, 5, 6, 7].filter((n) => !bad.includes(n)));
    }
  });

  it("refuses what no string may have room for, without trying", async () => {
    const { pipe: made, frames } = pipe();
    const onRefused = vi.fn();
    made.push({ frame: frame(1), size: 10 });
    made.push({ frame: frame(2), size: MAX_FRAME + 1, onRefused });
    await tick();
    expect(frames()).toEqual([[1]]);
    expect(onRefused).not.toHaveBeenCalled();
    made.flush();
    expect(onRefused).toHaveBeenCalledWith(expect.stringMatching("too long"));
    expect(frames()).toEqual([[1]]);
  });
});

describe("requests that wait", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function waiting(requests: WaitingRequests, id: number, isSent: boolean, op: "publish" | "read" = "publish") {
    const reject = vi.fn();
    const since = performance.now();
    requests.add({ id, op, frame: frame(id), size: 5, isKept: true, isSent, resolve() {}, reject, since });
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
    expect([[...requests], vi.getTimerCount(), requests.unsent]).toEqual([[], 0, 0]);
  });

  it("count those that wait for the bus", () => {
    const requests = new WaitingRequests();
    for (const id of [1, 2, 3]) waiting(requests, id, false);
    expect(requests.unsent).toBe(3);
    requests.mark([...requests][0]!, true);
    requests.mark([...requests][0]!, true);
    expect(requests.unsent).toBe(2);
    requests.mark([...requests][0]!, false);
    requests.take(2);
    expect(requests.unsent).toBe(2);
    const read = waiting(requests, 4, false, "read");
    requests.reject("closed", "it was closed");
    expect(read).toHaveBeenCalledWith(expect.objectContaining({ reason: "closed", mayHaveBeenPublished: false }));
    expect([requests.unsent, vi.getTimerCount()]).toEqual([0, 0]);
  });

  it("have room for one that is longer than all of it, when it is alone", () => {
    const requests = new WaitingRequests();
    expect(requests.hasRoom(MAX_WAITING_CHARACTERS * 2, 1)).toBe(true);
    waiting(requests, 0, false, "read");
    expect(requests.hasRoom(MAX_WAITING_CHARACTERS * 2, 1)).toBe(true);
    waiting(requests, 1, false);
    expect(requests.hasRoom(MAX_WAITING_CHARACTERS - 5, 1)).toBe(true);
    expect(requests.hasRoom(MAX_WAITING_CHARACTERS - 4, 1)).toBe(false);
    expect(requests.hasRoom(MAX_WAITING_CHARACTERS - 4, 2)).toBe(true);
    for (let id = 2; id <= MAX_WAITING; id++) waiting(requests, id, false);
    expect([requests.hasRoom(1, 1), requests.hasRoom(1, 2)]).toEqual([false, true]);
    requests.reject("closed", "it was closed");
  });

  it("say why they were not sent", () => {
    for (const why of ["there is no bus", undefined]) {
      const requests = new WaitingRequests(() => why);
      const [sent, unsent] = [waiting(requests, 1, true), waiting(requests, 2, false)];
      vi.advanceTimersByTime(MAX_WAITING_MS);
      expect(sent.mock.calls[0]![0].message).toMatch("no answer");
      expect(unsent.mock.calls[0]![0].message).toMatch(why ?? "could not be sent");
    }
  });
});
