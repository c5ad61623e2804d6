import { describe, expectTypeOf, it } from "vitest";
import {
  ERROR,
  type GGContractClient,
  type GGContractImplementation,
  type GGPromise,
  type GGSchema,
  type IsAny,
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
  type VALIDATION_ERROR,
  type ValidationIssueJson,
} from "../src/index.js";

const IsUserId = IsString.brand("UserId");
type tUserId = typeof IsUserId.infer;

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
      count: IsUint.default(1),
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
    expectTypeOf(IsString.brand("X").orNull.default("a").docs({}).minLength(1).infer).toExtend<string | null>();
    expectTypeOf(IsUint.max(5).orUndefined.infer).toEqualTypeOf<tUint | undefined>();
    // @ts-expect-error numbers have no trim
    IsNumber.trim;
    // @ts-expect-error the default of a string is a string
    IsString.default(5);
  });

  it("makes every validator a GGSchema of its type, and of nothing else", () => {
    expectTypeOf(IsUserId).toExtend<GGSchema<string>>();
    expectTypeOf(IsObject({ a: IsString })).toExtend<GGSchema<unknown>>();
    expectTypeOf(IsString).not.toExtend<GGSchema<number>>();
    expectTypeOf(IsString.orNull).not.toExtend<GGSchema<string>>();
  });
});

describe("brands and Raw", () => {
  it("tell branded values from plain ones", () => {
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

  it("leave what has no brand", () => {
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

  it("are values and types", () => {
    expectTypeOf(new NOT_FOUND()).toEqualTypeOf<NOT_FOUND>();
    expectTypeOf<NOT_FOUND["type"]>().toEqualTypeOf<"NOT_FOUND">();
    expectTypeOf<VALIDATION_ERROR["data"]>().toEqualTypeOf<ValidationIssueJson[]>();
    expectTypeOf<typeof LIMITED.infer>().toEqualTypeOf<ERROR<"LIMITED", { retry: tUint }>>();
    expectTypeOf(LIMITED.TYPE).toEqualTypeOf<"LIMITED">();
  });

  it("take data exactly when they have a schema", () => {
    new LIMITED({ retry: 3 }, { displayMessage: "wait" });
    new NOT_FOUND({ displayMessage: "gone" });
    // @ts-expect-error data is missing
    new LIMITED();
    // @ts-expect-error data does not fit
    new LIMITED({ retry: "3" });
    // @ts-expect-error there is no such context
    new NOT_FOUND({ retry: 3 });
  });

  it("narrow a result by type", () => {
    const result = {} as OK<{ n: number }> | VALIDATION_ERROR | SERVER_ERROR;
    if (result.success) expectTypeOf(result.data).toEqualTypeOf<{ n: number }>();
    else if (result.type === "VALIDATION_ERROR") expectTypeOf(result.data).toEqualTypeOf<ValidationIssueJson[]>();
    else expectTypeOf(result).toEqualTypeOf<SERVER_ERROR>();
    const thrown = {} as unknown;
    if (thrown instanceof LIMITED) expectTypeOf(thrown.data.retry).toEqualTypeOf<tUint>();
    if (LIMITED.is(thrown)) expectTypeOf(thrown.type).toEqualTypeOf<"LIMITED">();
  });
});

describe("contracts", () => {
  const methods = {
    send: {
      input: IsObject({ id: IsUserId, at: IsUint }),
      success: IsObject({ id: IsUserId }),
      errors: [NOT_FOUND, SERVER_ERROR],
    },
    mark: { input: IsObject({ id: IsString }) },
    there: { success: IsBoolean, errors: [SERVER_ERROR] },
    maybe: { input: IsString.orUndefined },
    ping: {},
  } as const;
  type Client = GGContractClient<typeof methods>;
  type Implementation = GGContractImplementation<typeof methods>;

  it("give the caller plain inputs and typed outcomes", () => {
    expectTypeOf<Client["send"]>().toEqualTypeOf<
      (data: { id: string; at: number }) => GGPromise<{ id: tUserId }, NOT_FOUND | SERVER_ERROR | VALIDATION_ERROR>
    >();
    expectTypeOf<Client["mark"]>().toEqualTypeOf<(data: { id: string }) => GGPromise<void, SERVER_ERROR>>();
    expectTypeOf<Client["there"]>().toEqualTypeOf<() => GGPromise<boolean, SERVER_ERROR>>();
    expectTypeOf<Client["ping"]>().toEqualTypeOf<() => GGPromise<void, SERVER_ERROR>>();
    expectTypeOf<Client["maybe"]>().toEqualTypeOf<(data?: string) => GGPromise<void, SERVER_ERROR>>();
    const client = {} as Client;
    // @ts-expect-error input is missing
    void (() => client.send());
    // @ts-expect-error there is no input
    void (() => client.ping({}));
  });

  it("infer the parameters of handlers, and take plain results", () => {
    const received: string[] = [];
    const implementation: Implementation = {
      send: async (data) => {
        expectTypeOf(data).toEqualTypeOf<{ id: tUserId; at: tUint }>();
        return { id: "plain" };
      },
      mark: ({ id }) => received.push(id),
      there: () => true,
      maybe: async () => {},
      ping: async () => {},
    };
    expectTypeOf(implementation.send).parameter(0).toEqualTypeOf<{ id: tUserId; at: tUint }>();
    // @ts-expect-error the result does not fit
    implementation.there = async () => "yes";
    // @ts-expect-error a handler is missing
    const partial: Implementation = { ping: () => {} };
    void partial;
  });

  it("take a client for an implementation", () => {
    expectTypeOf<Client>().toExtend<Implementation>();
  });
});
