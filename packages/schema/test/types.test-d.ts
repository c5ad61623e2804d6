import { describe, expectTypeOf, it } from "vitest";
import type * as all from "../src/index.js";
import {
  type ERR_CLASS,
  type ERR_CLASS_DATA,
  ERROR,
  type ERROR_CLASS,
  type ERROR_JSON,
  FORBIDDEN,
  GGContractClass,
  type GGContractClient,
  type GGContractImplementation,
  type GGContractMethod,
  GGPromise,
  type GGSchema,
  type GGValidator,
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
  NOT_FOUND,
  type OK,
  type Raw,
  SERVER_ERROR,
  type tInt,
  type tUint,
  VALIDATION_ERROR,
  type ValidationIssueJson,
} from "../src/index.js";

const IsUserId = IsString.brand("UserId");
type tUserId = typeof IsUserId.infer;

type NotFound = typeof NOT_FOUND.infer;
type ServerError = typeof SERVER_ERROR.infer;
type ValidationError = typeof VALIDATION_ERROR.infer;
type Issue = {
  path: string;
  code: string;
  message: string;
  params?: Record<string, unknown>;
  usedLanguage?: string;
  expectedLanguage?: string;
};

describe("inference", () => {
  it("of scalars", () => {
    expectTypeOf<typeof IsString.infer>().toEqualTypeOf<string>();
    expectTypeOf<typeof IsString.nonEmpty.trim.orNull.infer>().toEqualTypeOf<string | null>();
    expectTypeOf<typeof IsNumber.infer>().toEqualTypeOf<number>();
    expectTypeOf<typeof IsBoolean.orUndefined.infer>().toEqualTypeOf<boolean | undefined>();
    expectTypeOf<typeof IsUnknown.infer>().toEqualTypeOf<unknown>();
    expectTypeOf<typeof IsAny.infer>().toEqualTypeOf<unknown>();
    const IsRole = IsLiteral("admin", "user", 3);
    expectTypeOf<typeof IsRole.infer>().toEqualTypeOf<"admin" | "user" | 3>();
    const IsColor = IsEnum(["red", "blue"]);
    expectTypeOf<typeof IsColor.infer>().toEqualTypeOf<"red" | "blue">();
    const IsLevel = IsEnum({ Low: 1, High: 2 });
    expectTypeOf<typeof IsLevel.infer>().toEqualTypeOf<1 | 2>();
    enum Size {
      S = 0,
      L = 1,
    }
    const IsSize = IsEnum(Size);
    expectTypeOf<typeof IsSize.infer>().toEqualTypeOf<Size>();
  });

  it("of objects: a key is optional iff its validator ends with orUndefined", () => {
    const schema = IsObject({
      kind: "circle",
      id: IsUserId,
      name: IsString.orUndefined,
      note: IsString.orNull,
      count: IsUint.default(1 as tUint),
      was: IsString.orUndefined.default("x"),
      tags: IsArray(IsString),
      extra: IsRecord(IsNumber),
      either: IsUnion(IsString, IsNumber),
    });
    expectTypeOf<typeof schema.infer>().toEqualTypeOf<{
      kind: "circle";
      id: tUserId;
      name?: string | undefined;
      note: string | null;
      count: tUint;
      was: string;
      tags: string[];
      extra: Record<string, number>;
      either: string | number;
    }>();
    expectTypeOf(schema.parse({})).toEqualTypeOf<typeof schema.infer>();
  });

  it("of any value: the key is optional iff the validator allows undefined", () => {
    const schema = IsObject({ a: IsAny, b: IsUnknown.orUndefined, c: IsAny.orNull, d: IsAny.orNull.orUndefined });
    expectTypeOf<typeof schema.infer>().toEqualTypeOf<{ a: unknown; b?: unknown; c: unknown; d?: unknown }>();
    expectTypeOf(IsAny.orNull.orUndefined).toExtend<GGSchema<unknown>>();
    // @ts-expect-error a is missing
    const value: typeof schema.infer = { c: null };
    void value;
  });

  it("of derived objects", () => {
    const base = IsObject({ a: IsString, b: IsNumber.orUndefined });
    const extended = base.extend({ b: IsString, c: "x" });
    expectTypeOf<typeof extended.infer>().toEqualTypeOf<{ a: string; b: string; c: "x" }>();
    const merged = base.merge(IsObject({ d: IsBoolean }));
    expectTypeOf<typeof merged.infer>().toEqualTypeOf<{ a: string; b?: number | undefined; d: boolean }>();
    const picked = base.pick("b");
    expectTypeOf<typeof picked.infer>().toEqualTypeOf<{ b?: number | undefined }>();
    const rest = base.omit("b");
    expectTypeOf<typeof rest.infer>().toEqualTypeOf<{ a: string }>();
    // @ts-expect-error there is no such field
    base.pick("z");
    const IsList = IsArray(base).orUndefined;
    expectTypeOf<typeof IsList.infer>().toEqualTypeOf<{ a: string; b?: number | undefined }[] | undefined>();
  });

  it("of records by the kind of their keys", () => {
    const partial = IsRecord(IsLiteral("x", "y"), IsNumber);
    expectTypeOf<typeof partial.infer>().toEqualTypeOf<Partial<Record<"x" | "y", number>>>();
    const branded = IsRecord(IsUserId, IsNumber);
    expectTypeOf<(typeof branded.infer)[tUserId]>().toEqualTypeOf<number>();
  });

  it("narrows by is and assert", () => {
    const value = {} as unknown;
    if (IsString.is(value)) expectTypeOf(value).toEqualTypeOf<string>();
  });

  it("keeps members of a kind along the chain", () => {
    expectTypeOf(IsString.brand("X").orNull.docs({}).minLength(1).infer).toExtend<string | null>();
    expectTypeOf(IsUint.max(5).orUndefined.infer).toEqualTypeOf<tUint | undefined>();
    // @ts-expect-error numbers have no trim
    IsNumber.trim;
    // @ts-expect-error the default of a string is a string
    IsString.default(5);
    // @ts-expect-error a default is of the validated type, brand and all
    IsUint.default(5);
    // @ts-expect-error a default is of the validated type, brand and all
    IsUserId.default("u1");
  });

  it("makes every validator a GGSchema of its type, and of nothing else", () => {
    expectTypeOf(IsUserId).toExtend<GGSchema<string>>();
    expectTypeOf(IsObject({ a: IsString })).toExtend<GGSchema<unknown>>();
    expectTypeOf(IsObject({ a: IsString })).toExtend<GGSchema<{ a: string }>>();
    expectTypeOf(IsObject({ a: IsString })).toExtend<GGSchema<{ a: string; b?: string }>>();
    expectTypeOf<GGSchema<"a">>().toExtend<GGSchema<string>>();
    expectTypeOf<GGSchema<string>>().not.toExtend<GGSchema<"a">>();
    expectTypeOf(IsString).not.toExtend<GGSchema<number>>();
    expectTypeOf(IsString.orNull).not.toExtend<GGSchema<string>>();
  });
});

describe("brands and Raw", () => {
  it("distinguish branded values from plain ones", () => {
    expectTypeOf<string>().not.toExtend<tUserId>();
    expectTypeOf<tUserId>().toExtend<string>();
    expectTypeOf<5>().not.toExtend<tUint>();
    expectTypeOf<tUint>().toExtend<tInt>();
    expectTypeOf<tUint>().toExtend<number>();
    const IsOrderId = IsString.brand("OrderId");
    expectTypeOf<typeof IsOrderId.infer>().not.toExtend<tUserId>();
  });

  it("strip brands at every depth", () => {
    const IsLevel = IsLiteral("a", "b").brand("Level");
    const schema = IsObject({
      id: IsUserId,
      at: IsUint,
      i: IsInt.brand("Row"),
      level: IsLevel,
      maybe: IsUserId.orNull,
      opt: IsUserId.orUndefined,
      list: IsArray(IsObject({ id: IsUserId })),
      map: IsRecord(IsUint),
      any: IsUnknown,
    }).brand("Thing");
    expectTypeOf<Raw<typeof schema.infer>>().toEqualTypeOf<{
      id: string;
      at: number;
      i: number;
      level: "a" | "b";
      maybe: string | null;
      opt?: string | undefined;
      list: { id: string }[];
      map: { [key: string]: number };
      any: unknown;
    }>();
    expectTypeOf<typeof schema.infer>().toExtend<Raw<typeof schema.infer>>();
  });

  it("keep types without a brand", () => {
    expectTypeOf<Raw<"x" | 5 | true | null | undefined>>().toEqualTypeOf<"x" | 5 | true | null | undefined>();
    expectTypeOf<Raw<Date>>().toEqualTypeOf<Date>();
    expectTypeOf<Raw<() => tUint>>().toEqualTypeOf<() => tUint>();
    expectTypeOf<Raw<unknown>>().toEqualTypeOf<unknown>();
    expectTypeOf<Raw<void>>().toEqualTypeOf<void>();
    expectTypeOf<Raw<[tUint, string]>>().toEqualTypeOf<[number, string]>();
    expectTypeOf<Raw<boolean>>().toEqualTypeOf<boolean>();
    interface Node {
      id: tUserId;
      next?: Node;
    }
    expectTypeOf<Raw<Node>["id"]>().toEqualTypeOf<string>();
    expectTypeOf<NonNullable<NonNullable<Raw<Node>["next"]>["next"]>["id"]>().toEqualTypeOf<string>();
  });
});

describe("errors", () => {
  const LIMITED = ERROR.define("LIMITED", 429, IsObject({ retry: IsUint }));

  it("are values, and have a type under `infer`", () => {
    expectTypeOf(SERVER_ERROR).toEqualTypeOf<ERR_CLASS<"SERVER_ERROR">>();
    expectTypeOf<ServerError>().toEqualTypeOf<ERROR<"SERVER_ERROR", never>>();
    expectTypeOf(VALIDATION_ERROR).toEqualTypeOf<ERR_CLASS_DATA<"VALIDATION_ERROR", Issue[]>>();
    expectTypeOf<ValidationError>().toEqualTypeOf<ERROR<"VALIDATION_ERROR", Issue[]>>();
    expectTypeOf(LIMITED).toEqualTypeOf<ERR_CLASS_DATA<"LIMITED", { retry: tUint }>>();
    expectTypeOf<typeof LIMITED.infer>().toEqualTypeOf<ERROR<"LIMITED", { retry: tUint }>>();
    expectTypeOf(ERROR.badRequest("BAD_NAME")).toEqualTypeOf<ERR_CLASS<"BAD_NAME">>();
    expectTypeOf(LIMITED.TYPE).toEqualTypeOf<"LIMITED">();
    expectTypeOf(LIMITED.schema).toEqualTypeOf<GGSchema<{ retry: tUint }> | undefined>();
    expectTypeOf(new NOT_FOUND()).toEqualTypeOf<NotFound>();
    expectTypeOf<ERROR>().toEqualTypeOf<ERROR<string, unknown>>();
  });

  it("are no types", () => {
    // @ts-expect-error a value
    let server: SERVER_ERROR;
    // @ts-expect-error a value
    let validation: VALIDATION_ERROR;
    // @ts-expect-error a value
    let notFound: NOT_FOUND;
    // @ts-expect-error a value
    let forbidden: FORBIDDEN;
    // @ts-expect-error a value
    let notAuthorized: all.NOT_AUTHORIZED;
    // @ts-expect-error a value
    let badRequest: all.BAD_REQUEST;
    // @ts-expect-error a value
    let exists: all.EXISTS;
    // @ts-expect-error a value
    let routeNotFound: all.ROUTE_NOT_FOUND;
    // @ts-expect-error a value
    let tooLarge: all.PAYLOAD_TOO_LARGE;
    void (() => [server, validation, notFound, forbidden, notAuthorized, badRequest, exists, routeNotFound, tooLarge]);
  });

  it("have the published names only", () => {
    // @ts-expect-error replaced by ERR_CLASS
    let plain: all.GGErrorClass<"A">;
    // @ts-expect-error replaced by ERR_CLASS_DATA
    let withData: all.GGDataErrorClass<"A", 1>;
    // @ts-expect-error replaced by ERROR_CLASS
    let any: all.GGAnyErrorClass;
    void (() => [plain, withData, any]);
  });

  it("are of one kind, whatever their type and data", () => {
    const classes: ERROR_CLASS[] = [NOT_FOUND, VALIDATION_ERROR, LIMITED];
    expectTypeOf(classes[0]!.infer).toEqualTypeOf<ERROR>();
    expectTypeOf<ERR_CLASS<"A">>().toExtend<ERROR_CLASS<"A", never>>();
    expectTypeOf<ERR_CLASS_DATA<"A", string>>().toExtend<ERROR_CLASS<"A", string>>();
    expectTypeOf<ERROR_CLASS<"A", { n: number }>>().toExtend<ERROR_CLASS>();
    expectTypeOf<ERR_CLASS<"A">>().not.toExtend<ERR_CLASS<"B">>();
    expectTypeOf<{ TYPE: "A"; STATUS_CODE: 400 }>().not.toExtend<ERROR_CLASS>();
    // @ts-expect-error which arguments the constructor takes is not known
    new classes[0]!();
  });

  it("travel with their data", () => {
    expectTypeOf<ERROR_JSON<"A", number>["data"]>().toEqualTypeOf<number>();
    // @ts-expect-error data is missing
    const json: ERROR_JSON = { success: false, type: "A" };
    void json;
  });

  it("take data exactly when they have a schema", () => {
    new LIMITED({ retry: 3 }, { displayMessage: "wait" });
    new NOT_FOUND({ displayMessage: "gone" });
    new VALIDATION_ERROR([{ path: "", code: "required", message: "" }]);
    new VALIDATION_ERROR([] as ValidationIssueJson[]);
    // @ts-expect-error data is missing
    new LIMITED();
    // @ts-expect-error data does not fit
    new LIMITED({ retry: "3" });
    // @ts-expect-error there is no such context
    new NOT_FOUND({ retry: 3 });
  });

  it("narrow a result by type", () => {
    const result = {} as OK<{ n: number }> | ValidationError | ServerError;
    if (result.success) expectTypeOf(result.data).toEqualTypeOf<{ n: number }>();
    else if (result.type === "VALIDATION_ERROR") expectTypeOf(result.data).toEqualTypeOf<Issue[]>();
    else expectTypeOf(result).toEqualTypeOf<ServerError>();
    const thrown = {} as unknown;
    if (thrown instanceof LIMITED) expectTypeOf(thrown.data.retry).toEqualTypeOf<tUint>();
    if (LIMITED.is(thrown)) expectTypeOf(thrown.type).toEqualTypeOf<"LIMITED">();
  });
});

describe("GGPromise", () => {
  it("is made of a promise of a result", () => {
    const promise = new GGPromise<number, NotFound>({} as Promise<OK<number> | NotFound>);
    expectTypeOf(promise).toExtend<Promise<number>>();
    expectTypeOf(promise.asResult()).toEqualTypeOf<Promise<OK<number> | NotFound>>();
    expectTypeOf(promise.map(String)).toEqualTypeOf<GGPromise<string, NotFound>>();
    expectTypeOf(promise.or((error) => error.statusCode)).toEqualTypeOf<Promise<number>>();
    // @ts-expect-error a thenable is no promise
    new GGPromise<number, NotFound>({} as PromiseLike<OK<number>>);
    // @ts-expect-error bare data are no result
    new GGPromise<number, NotFound>({} as Promise<number>);
    // @ts-expect-error other data than the promise's
    void promise.orDefault(() => "none");
    // @ts-expect-error other data than the promise's
    void promise.or(async () => 5);
    // @ts-expect-error its errors have a type too
    type Half = GGPromise<number>;
    expectTypeOf<Half>().not.toBeNever();
  });
});

describe("contracts", () => {
  const contract = new GGContractClass("Api", {
    send: {
      input: IsObject({ id: IsUserId, at: IsUint }),
      success: IsObject({ id: IsUserId }),
      errors: [NOT_FOUND, SERVER_ERROR],
    },
    mark: { input: IsObject({ id: IsString }), errors: [FORBIDDEN] },
    there: { success: IsBoolean, errors: [NOT_FOUND], permission: { allOf: ["a", "b"] } },
    maybe: { input: IsString.orUndefined },
    ping: {},
    quiet: { errors: [NOT_FOUND] },
  });
  type Methods = typeof contract.methods;
  type Client = GGContractClient<Methods>;
  type Implementation = GGContractImplementation<Methods>;

  it("keep the types of their methods", () => {
    const small = new GGContractClass("X", { m: { input: IsString, errors: [NOT_FOUND] } });
    expectTypeOf(small.methods.m.input).toEqualTypeOf<typeof IsString>();
    expectTypeOf(small.methods.m.errors).toEqualTypeOf<ERR_CLASS<"NOT_FOUND">[]>();
    expectTypeOf(contract.methods.send.errors).toEqualTypeOf<(ERR_CLASS<"NOT_FOUND"> | ERR_CLASS<"SERVER_ERROR">)[]>();
    expectTypeOf<Methods["send"]>().toExtend<GGContractMethod>();
    expectTypeOf<GGContractMethod["errors"]>().toEqualTypeOf<ERROR_CLASS[] | undefined>();
    expectTypeOf<GGContractMethod<string, number, ERR_CLASS<"A">>>().toExtend<GGContractMethod>();
  });

  it("take validators and mutable lists of error classes, nothing like them", () => {
    const bare = {
      is: (_value: unknown): _value is string => true,
      assert: (_value: unknown): asserts _value is string => {},
      parse: () => "",
      safeParse: () => ({ success: true, value: "" }) as const,
    };
    expectTypeOf(bare).toExtend<GGValidator<string>>();
    const frozen = { errors: [NOT_FOUND] } as const;
    // @ts-expect-error a bare validator
    new GGContractClass("X", { m: { input: bare } });
    // @ts-expect-error a bare validator
    new GGContractClass("X", { m: { success: bare } });
    // @ts-expect-error a readonly list
    new GGContractClass("X", { m: frozen });
    // @ts-expect-error an instance
    new GGContractClass("X", { m: { errors: [new NOT_FOUND()] } });
    // @ts-expect-error not a permission
    new GGContractClass("X", { m: { permission: { allOf: [] } } });
  });

  it("give the caller what the validators give", () => {
    expectTypeOf<Client["send"]>().toEqualTypeOf<
      (data: { id: tUserId; at: tUint }) => GGPromise<{ id: tUserId }, NotFound | ServerError | ValidationError>
    >();
    expectTypeOf<Client["mark"]>().toEqualTypeOf<
      (data: { id: string }) => GGPromise<void, typeof FORBIDDEN.infer | ServerError>
    >();
    expectTypeOf<Client["there"]>().toEqualTypeOf<() => GGPromise<boolean, NotFound | ServerError>>();
    expectTypeOf<Client["maybe"]>().toEqualTypeOf<(data: string | undefined) => GGPromise<void, ServerError>>();
    expectTypeOf<Client["ping"]>().toEqualTypeOf<() => GGPromise<void, ServerError>>();
    expectTypeOf<Client["quiet"]>().toEqualTypeOf<() => GGPromise<void, ServerError>>();
    const client = {} as Client;
    // @ts-expect-error input is missing
    void (() => client.send());
    // @ts-expect-error plain data where branded data are asked for
    void (() => client.send({ id: "u1", at: 5 }));
    // @ts-expect-error there is no input
    void (() => client.ping({}));
  });

  it("ask handlers for promises of what the validators give", () => {
    const received: string[] = [];
    const implementation: Implementation = {
      send: async (data) => {
        expectTypeOf(data).toEqualTypeOf<{ id: tUserId; at: tUint }>();
        return { id: data.id };
      },
      mark: async ({ id }) => void received.push(id),
      there: async () => true,
      maybe: async () => {},
      ping: async () => {},
      quiet: async () => {},
    };
    expectTypeOf<Implementation["send"]>().toEqualTypeOf<
      (data: { id: tUserId; at: tUint }) => Promise<{ id: tUserId }>
    >();
    expectTypeOf<Implementation["mark"]>().toEqualTypeOf<(data: { id: string }) => Promise<void>>();
    expectTypeOf<Implementation["ping"]>().toEqualTypeOf<() => Promise<void>>();
    // @ts-expect-error the result does not fit
    implementation.there = async () => "yes";
    // @ts-expect-error not a promise
    implementation.there = () => true;
    // @ts-expect-error not a promise
    implementation.ping = () => {};
    // @ts-expect-error plain data where branded data are asked for
    implementation.send = async () => ({ id: "plain" });
    // @ts-expect-error a handler is missing
    const partial: Implementation = { ping: async () => {} };
    void partial;
  });

  it("take a client for an implementation", () => {
    expectTypeOf<Client>().toExtend<Implementation>();
  });
});
