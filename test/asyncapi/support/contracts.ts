import {
  ERROR,
  FORBIDDEN,
  GG_ANY_PERMISSION,
  GG_NO_PERMISSIONS,
  GGIssueKey,
  type GGSchema,
  IsAny,
  IsArray,
  IsBoolean,
  IsEnum,
  IsInt,
  IsLiteral,
  IsNumber,
  IsObject,
  IsRecord,
  IsString,
  IsUint,
  IsUnion,
  IsUnknown,
  NOT_AUTHORIZED,
  SERVER_ERROR,
  VALIDATION_ERROR,
} from "@grest-ts/schema";
import { defineSocketContract, webSocketSchema } from "@grest-ts/websocket";
import type { GGDescribedMiddleware } from "@grest-ts/websocket/asyncapi";

export const LIMITED = ERROR.define("ASYNCAPI_LIMITED", 429, IsObject({ retryMs: IsUint }));
export const GONE = ERROR.define("ASYNCAPI_GONE", 410);

interface Tree {
  name: string;
  children: Tree[];
}
const IsTree: GGSchema<Tree> = IsObject(() => ({ name: IsString, children: IsArray(IsTree) })) as never;

/** One member of every kind of validator. */
export const IsEverything = IsObject({
  text: IsString.nonEmpty.maxLength(20),
  pattern: IsString.regex(/^[a-z]{1,3}$/),
  legacyPattern: IsString.regex(/^[\w-.]+$/),
  trimmed: IsString.trim.minLength(2),
  number: IsNumber.range(-1, 1),
  step: IsInt.multipleOf(5),
  count: IsUint,
  flag: IsBoolean,
  literal: IsLiteral("a", 1, true),
  fixed: "v1",
  level: IsEnum({ LOW: 1, HIGH: 2 } as const),
  list: IsArray(IsObject({ x: IsNumber })).maxLength(3),
  record: IsRecord(IsUint),
  keyed: IsRecord(IsString.minLength(2), IsBoolean),
  union: IsUnion(IsString, IsObject({ y: IsNumber })),
  nullable: IsString.orNull,
  optional: IsNumber.orUndefined,
  both: IsString.orNull.orUndefined,
  defaulted: IsUint.default(7 as never),
  any: IsAny,
  unknown: IsUnknown,
  coerced: IsString.coerce(String),
  refined: IsNumber.refine((value) => value !== 13, new GGIssueKey("unlucky", "Not 13")),
  documented: IsString.docs({ title: "Title", description: "What it is", example: "such", deprecated: true }),
});

const credentials: GGDescribedMiddleware = {
  headers: { "x-token": IsString.docs({ description: "From the log-in" }), language: IsString.orUndefined },
  parseHandshake: () => {},
};

const IsNothingKnown = {
  safeParse: (value: unknown) => ({ success: true, value }) as const,
} as unknown as typeof IsAny;

export const KindsContract = defineSocketContract("Kinds", {
  clientToServer: {
    call: {
      input: IsEverything,
      success: IsEverything,
      errors: [LIMITED, GONE, VALIDATION_ERROR, SERVER_ERROR],
      permission: GG_NO_PERMISSIONS,
    },
    ask: { success: IsTree, permission: GG_NO_PERMISSIONS, docs: { title: "Ask", description: "Gives *everything*" } },
    note: { input: IsTree, permission: GG_NO_PERMISSIONS },
    ping: { permission: GG_NO_PERMISSIONS },
    maybe: { input: IsString.orUndefined, success: IsString.orUndefined, permission: GG_NO_PERMISSIONS },
    scoped: { input: IsString, success: IsBoolean, permission: "rooms:write" },
    combined: {
      success: IsBoolean,
      errors: [FORBIDDEN, NOT_AUTHORIZED],
      permission: { anyOf: ["admin", { allOf: ["a", GG_ANY_PERMISSION] }] },
    },
    anyone: { success: IsBoolean, permission: GG_NO_PERMISSIONS },
    opaque: { input: IsNothingKnown, success: IsNothingKnown, permission: GG_NO_PERMISSIONS },
    both: { input: IsString, permission: GG_NO_PERMISSIONS },
  },
  serverToClient: {
    push: { input: IsEverything },
    bare: {},
    question: { input: IsString, success: IsNumber, errors: [LIMITED] },
    both: { input: IsNumber, permission: "ignored" },
  },
});

export const Kinds = webSocketSchema(KindsContract)
  .path("/ws/{kinds}/é")
  .use(credentials)
  .use({ headers: () => "something else" } as never)
  .queryOnConnect(IsObject({ room: IsString.nonEmpty, page: IsUint.orUndefined }))
  .connectPermission("connect")
  .done();

const HOSTILE = [
  "constructor",
  "__proto__x",
  "hasOwnProperty",
  "toString",
  "$ref",
  "a.b",
  "a-b",
  "a-2e-b",
  "a/b~0",
  "%2F",
  "#",
  "{x}",
  "<script>",
  "\u{1F600}",
  "'\"`",
  "Ä".normalize("NFD"),
];

const hostileMethod = (name: string) => ({
  [name]: { input: IsObject(Object.fromEntries(HOSTILE.map((key) => [key, IsString]))), success: IsString },
});

/** APIs, methods and properties with names that documents could stumble at; one API has all of them twice. */
export const hostileApis = HOSTILE.map((name, at) => {
  const methods = Object.assign({}, ...(at === 0 ? HOSTILE : [name]).map(hostileMethod)) as ReturnType<
    typeof hostileMethod
  >;
  return webSocketSchema(defineSocketContract(name, { clientToServer: methods, serverToClient: methods }))
    .path(`ws/${at}`)
    .use({ headers: Object.fromEntries(HOSTILE.map((key) => [key, IsString])) } as never)
    .done();
});

export const Empty = webSocketSchema(defineSocketContract("Empty", { clientToServer: {}, serverToClient: {} }))
  .path("/")
  .done();
