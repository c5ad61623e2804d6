/** From when on waiting is noticed, in ms. */
const SLOW_MS = 1_500;

/** What the user reads while the server does not answer. */
export const STILL_WAITING = "Still waiting for the server…";

/** Calls back once when something takes long. */
export async function noticeWait<T>(work: Promise<T>, onSlow: () => void): Promise<T> {
  const timer = setTimeout(onSlow, SLOW_MS);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}
