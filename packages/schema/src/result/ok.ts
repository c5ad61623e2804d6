/** A successful result. */
export interface OK<Data = unknown> {
  success: true;
  type: "OK";
  data: Data;
}

/** A successful result in its wire form, which is the same. */
export type OK_JSON<Data = unknown> = OK<Data>;

/** Distinguishes successful results from other values. */
export const OK = {
  TYPE: "OK",
  /** Whether `value` is a successful result. */
  isJson(value: unknown): value is OK {
    if (typeof value !== "object" || value === null) return false;
    const { success, type } = value as Record<string, unknown>;
    return success === true && type === "OK";
  },
} as const;

/** Wraps `data` in a successful result. */
export function ok<Data>(data: Data): OK<Data> {
  return { success: true, type: "OK", data };
}
