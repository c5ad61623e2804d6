import { GGBusError, type GGHistory } from "../api/bus.js";

/** Numbers up to this are exact, in every engine, after all that is added to them. */
const MOST = 2 ** 52;

/** Why a history cannot be kept; `undefined` when it can, or there is none. */
export function historyError(history: GGHistory | undefined): GGBusError | undefined {
  if (!history || (isPossible(history.size) && isPossible(history.ttlMs))) return undefined;
  const given = `${String(history.size)} and ${String(history.ttlMs)}`;
  return new GGBusError(
    `size and ttlMs of a history must be numbers above 0 and up to 2 ** 52, not ${given}`,
    "refused",
  );
}

function isPossible(value: number): boolean {
  return value > 0 && value <= MOST;
}
