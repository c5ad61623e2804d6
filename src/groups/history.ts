import { GGBusError, type GGHistory } from "../api/bus.js";

/** Numbers up to this are exact, in every engine, after all that is added to them. */
const MOST = 2 ** 52;

/** Why a history cannot be kept; `undefined` when it can, or there is none. */
export function historyError(history: GGHistory | undefined): GGBusError | undefined {
  if (!history) return undefined;
  const { size, ttlMs } = history;
  if (Number.isInteger(size) && isPossible(size) && isPossible(ttlMs)) return undefined;
  const text = "a history must have a whole size and a ttlMs above 0 and up to 2 ** 52";
  return new GGBusError(`${text}, not ${String(size)} and ${String(ttlMs)}`, "refused");
}

function isPossible(value: number): boolean {
  return value > 0 && value <= MOST;
}
