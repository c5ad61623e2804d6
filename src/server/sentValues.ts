import { isDeepStrictEqual } from "node:util";
import type { GGIssuesList } from "@grest-ts/schema";
import type { GGSocketMethodMap } from "../api/contract.js";
import type { SchemaDefinition } from "../api/schema.js";
import { type Cleaner, fieldsOf, standardOf, type Validator } from "../connection/methods/clean.js";
import { memoizeByKey, type SchemaTables, tablesOf } from "../connection/methods/methodTable.js";
import { validated } from "../connection/methods/validated.js";
import { parsePayload, stringifyPayload } from "../protocol/frame.js";

/**
 * The tables of a schema as its server uses them. What a server sends is the output of its validators, so that nothing
 * leaves it that they leave out; the client validates it again. A Standard Schema may not take its own output: such values
 * are not sent.
 */
export const servedTablesOf = memoizeByKey((schema: SchemaDefinition): SchemaTables => {
  const { name, methods } = schema;
  const clientToServer = withSent(methods.clientToServer, "success");
  const serverToClient = withSent(methods.serverToClient, "input");
  const isChanged = clientToServer !== methods.clientToServer || serverToClient !== methods.serverToClient;
  return tablesOf(isChanged ? { name, methods: { clientToServer, serverToClient } } : schema);
});

/** The methods, where a Standard Schema cleans what the server sends: its `success`, or its `input`. */
function withSent(methods: GGSocketMethodMap, part: "input" | "success"): GGSocketMethodMap {
  const sent = Object.entries(methods).flatMap(([name, method]) => {
    const validator = method[part];
    return validator && standardOf(validator) ? [[name, { ...method, [part]: sentOutput(validator) }]] : [];
  });
  return sent.length > 0 ? { ...methods, ...Object.fromEntries(sent) } : methods;
}

/** A validator whose output passes again, as the other end reads it: it comes to the same. */
function sentOutput(validator: Validator): Cleaner {
  return {
    safeParse(value) {
      const output = validated(validator, value);
      if (output.issues) return { success: false, issues: { toJSON: () => output.issues } as unknown as GGIssuesList };
      const text = stringifyPayload(output.value);
      const again = validated(validator, parsePayload(text));
      if (again.issues) throw new TypeError(`${RULE}: it refuses ${fieldsOf(again.issues)}`);
      if (!isSame(stringifyPayload(again.value), text)) throw new TypeError(`${RULE}: it changes it`);
      return { success: true, value: output.value };
    },
  };
}

const RULE = "the validator of what a server sends must take the JSON of its own output as it is";

/** Whether two JSON texts say the same; the order of keys says nothing. */
function isSame(text: string, other: string): boolean {
  return text === other || isDeepStrictEqual(parsePayload(text), parsePayload(other));
}
