import type { GGIssuesList } from "./issues-list.js";

/** Values for the `{name}` placeholders of a rule's message. */
export type GGIssueParams = Readonly<Record<string, unknown>>;

/** Turns a rule and its params into a message in the user's language; `undefined` keeps the default text. */
export type GGIssueLocalizer = (key: GGIssueKey, params: GGIssueParams | undefined) => string | undefined;

let localizer: GGIssueLocalizer | undefined;

/** One kind of validation issue: a code for programs and a message template for people. */
export class GGIssueKey<P extends GGIssueParams | undefined = GGIssueParams | undefined> {
  /** Reported when a value is missing: `undefined`, or `null` where null is not allowed. */
  static readonly required: GGIssueKey<undefined> = /* @__PURE__ */ new GGIssueKey<undefined>(
    "required",
    "Value is required",
  );

  readonly code: string;
  readonly message: string;

  constructor(code: string, message: string) {
    this.code = code;
    this.message = message;
  }

  /** Adds an issue of this kind to `issues`. Returns false, so that a check can end with it. */
  add(value: unknown, issues: GGIssuesList, path: string, params?: P): false {
    issues.add(this as GGIssueKey, value, path, params);
    return false;
  }

  /** Sets, or with `undefined` removes, the function that translates messages. */
  static setLocalizer(fn: GGIssueLocalizer | undefined): void {
    localizer = fn;
  }
}

/** An issue whose value is present but wrong; its code starts with `invalid.`. */
export class GGIssueInvalid<P extends GGIssueParams | undefined = GGIssueParams | undefined> extends GGIssueKey<P> {
  constructor(code: string, message: string) {
    super(`invalid.${code}`, message);
  }
}

/** The message of `key` in the user's language, with its params filled in. */
export function messageOf(key: GGIssueKey, params?: GGIssueParams): string {
  const localized = localizer?.(key, params);
  if (localized !== undefined) return localized;
  if (!params) return key.message;
  return key.message.replace(/\{(\w+)\}/g, (place, name: string) =>
    Object.hasOwn(params, name) ? String(params[name]) : place,
  );
}
