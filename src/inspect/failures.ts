import type { GGInspectOptions } from "./types.js";

/** Reports the failure of a part of an inspection: the first of each, since each frame may bring another. */
export type FailureLog = (what: string, error: unknown) => void;

/** @param apiName is named in entries, where it is known */
export function failureLog(logger: NonNullable<GGInspectOptions["logger"]>, apiName: string | undefined): FailureLog {
  const reported = new Set<string>();
  return (what, error) => {
    if (reported.has(what)) return;
    reported.add(what);
    // There is no other place to write to, whether it throws or rejects.
    void (async () =>
      logger.error(`${apiName ? `${apiName}: ` : ""}the ${what} of an inspection failed`, { error }))().catch(() => {});
  };
}
