import { checkOptions } from "../api/optionChecks.js";
import type { GGInspectOptions } from "./types.js";

type Checks = { readonly [Name in keyof Required<GGInspectOptions>]: Check };
type Check = Parameters<typeof checkOptions>[2][string];

const COUNT: Check = {
  sentence: "a whole number of 0 or more",
  isKept: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
};
const TEXTS: Check = {
  sentence: "a list of texts",
  isKept: (value) => isList(value, (one) => typeof one === "string"),
};

const OPTIONS: Checks & Readonly<Record<string, Check>> = {
  keep: COUNT,
  keepClosed: COUNT,
  payloads: { sentence: "true or false", isKept: (value) => typeof value === "boolean" },
  redact: TEXTS,
  redactNames: {
    sentence: "a regular expression or false",
    isKept: (value) => value === false || Object.prototype.toString.call(value) === "[object RegExp]",
  },
  schemas: {
    sentence: "a schema or a list of schemas",
    isKept: (value) => isSchema(value) || isList(value, isSchema),
  },
  headers: TEXTS,
  maxPayload: { sentence: "a number of 0 or more", isKept: (value) => typeof value === "number" && value >= 0 },
  filter: { sentence: "a function", isKept: (value) => typeof value === "function" },
  logger: { sentence: "an object with error()", isKept: (value) => typeof Object(value).error === "function" },
};

/**
 * Checks the options of an inspection.
 *
 * @param warn takes a sentence on options that there are not
 * @throws Error naming the option that is misspelt, or has a value that it cannot have
 */
export function checkInspectOptions(options: unknown, warn: (message: string) => void): void {
  checkOptions({ apiName: "inspect", call: "inspect()", warn }, options, OPTIONS);
}

function isList(value: unknown, isKept: (one: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isKept);
}

function isSchema(value: unknown): boolean {
  const { name, methods } = Object(value) as Record<string, unknown>;
  const { clientToServer, serverToClient } = Object(methods) as Record<string, unknown>;
  return typeof name === "string" && typeof clientToServer === "object" && typeof serverToClient === "object";
}
