/** What a failed command says about the connection, and about doing it again. */
export type FailureKind =
  /** The connection is gone, or what answers is not Redis: it is not known whether the command was done. */
  | "lost"
  /** Not done: this Redis cannot do it now. */
  | "later"
  /** Not done: this Redis does not do it any more; another may. */
  | "elsewhere"
  /** Not done: Redis does not have the script. */
  | "noScript"
  /** Not done, and trying again does not help. */
  | "refused";

const KINDS: Readonly<Record<string, FailureKind>> = {
  NOSCRIPT: "noScript",
  READONLY: "elsewhere",
  MOVED: "elsewhere",
  ASK: "elsewhere",
  LOADING: "later",
  MASTERDOWN: "later",
  CLUSTERDOWN: "later",
  TRYAGAIN: "later",
  BUSY: "later",
  NOREPLICAS: "later",
};

/** Tells the replies of Redis, which begin with a word in capitals, from the errors of the client. */
export function failureKind(error: unknown): FailureKind {
  const code = /^([A-Z][A-Z0-9]+) /.exec(errorText(error))?.[1];
  if (!code) return "lost";
  return Object.hasOwn(KINDS, code) ? KINDS[code]! : "refused";
}

/** Whether the reply names another node of a cluster. */
export function isMoved(text: string): boolean {
  return /^(?:MOVED|ASK) /.test(text);
}

/** Whether Redis does not do it, while it may well do other things: for want of rights or memory, of a disk or of replicas. */
export function isRefusal(error: unknown): boolean {
  return failureKind(error) === "refused" || errorText(error).startsWith("NOREPLICAS ");
}

/** What an error says; connecting to several addresses fails with an error for each, and says nothing itself. */
export function errorText(error: unknown): string {
  if (error instanceof AggregateError && !error.message) return error.errors.map(errorText).join(", ");
  return error instanceof Error ? error.message : String(error);
}
