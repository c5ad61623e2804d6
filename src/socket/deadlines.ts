/**
 * All time-outs of the process behind one timer. A call's time-out nearly always never fires, so a timer for each would
 * be made and thrown away for nothing. Deadlines of the same duration expire in the order they began: each duration has
 * a list, its head is its next to expire, and joining or leaving a list costs a few pointers.
 */
export abstract class Deadline {
  /** @internal */ expiresAt = 0;
  /** @internal */ list: DeadlineList | undefined;
  /** @internal */ previous: Deadline | undefined;
  /** @internal */ next: Deadline | undefined;

  /** Called when the time is over, unless it was stopped before. */
  abstract onExpired(): void;
}

class DeadlineList {
  head: Deadline | undefined;
  tail: Deadline | undefined;
  constructor(readonly duration: number) {}
}

const lists = new Map<number, DeadlineList>();
let timer: ReturnType<typeof setTimeout> | undefined;
let timerAt = Number.POSITIVE_INFINITY;

/** Node clamps longer timers to 1 ms; nobody waits this long (24.8 days). */
const MAX_DURATION = 2 ** 31 - 1;

/** Starts a deadline `duration` ms from now. It must not be running. */
export function startDeadline(deadline: Deadline, duration: number): void {
  const ms = Math.min(Math.max(Math.ceil(duration), 1), MAX_DURATION);
  let list = lists.get(ms);
  if (!list) {
    list = new DeadlineList(ms);
    lists.set(ms, list);
  }
  deadline.expiresAt = performance.now() + ms;
  deadline.list = list;
  deadline.previous = list.tail;
  if (list.tail) list.tail.next = deadline;
  else list.head = deadline;
  list.tail = deadline;
  if (deadline.expiresAt < timerAt) arm(deadline.expiresAt);
}

/** Stops a deadline; nothing happens when it is not running. */
export function stopDeadline(deadline: Deadline): void {
  const { list, previous, next } = deadline;
  if (!list) return;
  if (previous) previous.next = next;
  else list.head = next;
  if (next) next.previous = previous;
  else list.tail = previous;
  deadline.list = deadline.previous = deadline.next = undefined;
  // The timer is left as it is: it will find nothing due and arm itself for what comes next.
}

/** How many deadlines are running; for tests of what is left behind. */
export function runningDeadlines(): number {
  let count = 0;
  for (const list of lists.values()) for (let d = list.head; d; d = d.next) count++;
  return count;
}

class Callback extends Deadline {
  constructor(readonly onExpired: () => void) {
    super();
  }
}

/** Runs `callback` in `ms`, unless the function returned is called before. */
export function after(ms: number, callback: () => void): () => void {
  const deadline = new Callback(callback);
  startDeadline(deadline, ms);
  return () => stopDeadline(deadline);
}

function arm(at: number): void {
  clearTimeout(timer);
  timerAt = at;
  timer = setTimeout(expire, Math.max(at - performance.now(), 0));
  // A deadline waits on an open connection, which keeps the process alive for as long as there is one.
  (timer as { unref?(): void }).unref?.();
}

function expire(): void {
  const now = performance.now();
  timerAt = Number.POSITIVE_INFINITY;
  let nearest = Number.POSITIVE_INFINITY;
  for (const list of lists.values()) {
    while (list.head && list.head.expiresAt <= now) {
      const due = list.head;
      stopDeadline(due);
      due.onExpired();
    }
    if (list.head) nearest = Math.min(nearest, list.head.expiresAt);
    else lists.delete(list.duration);
  }
  if (nearest < timerAt) arm(nearest);
}
