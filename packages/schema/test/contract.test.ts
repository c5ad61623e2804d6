import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  ERROR,
  FORBIDDEN,
  GGContractClass,
  GGContractExecutor,
  GGPromise,
  IsNumber,
  IsObject,
  IsString,
  IsUint,
  NOT_FOUND,
  SERVER_ERROR,
  type tUint,
  VALIDATION_ERROR,
} from "../src/index.js";

const LIMITED = ERROR.define("LIMITED_CALL", 429, IsObject({ retry: IsNumber }));
const UNKNOWN_ERROR = ERROR.define("NOT_IN_CONTRACT", 400);

const echo = {
  input: IsObject({ text: IsString.nonEmpty, times: IsUint.default(1 as tUint) }),
  success: IsObject({ text: IsString }),
  errors: [NOT_FOUND, LIMITED],
};

const call = (next: (input: unknown) => unknown, data: unknown = { text: "a" }, contract: object = echo) =>
  GGContractExecutor.call(contract, data, undefined, next);

describe("GGContractExecutor.call", () => {
  it("passes the cleaned input and returns the cleaned output", async () => {
    const seen: unknown[] = [];
    const result = await call(
      (input) => {
        seen.push(input);
        return { text: 5, secret: "x" };
      },
      { text: 7, extra: true },
    );
    expect(seen).toEqual([{ text: "7", times: 1 }]);
    expect(result).toEqual({ success: true, type: "OK", data: { text: "5" } });
  });

  it("answers bad input with VALIDATION_ERROR, listed or not, and does not run the method", async () => {
    let runs = 0;
    const result = await call(() => runs++, { text: "" });
    expect(runs).toBe(0);
    expect(result).toBeInstanceOf(VALIDATION_ERROR);
    expect(JSON.parse(JSON.stringify(result))).toMatchObject({
      success: false,
      type: "VALIDATION_ERROR",
      data: [{ path: "text", code: "invalid.string.nonEmpty", message: "Value must not be empty", value: "" }],
      statusCode: 422,
      context: { displayMessage: "Invalid arguments" },
    });
  });

  it("passes undefined to a method without input, and returns no data from one without success", async () => {
    const seen: unknown[] = [];
    const result = await call((input) => ({ leak: seen.push(input) }), { sent: 1 }, {});
    expect(seen).toEqual([undefined]);
    expect(JSON.stringify(result)).toBe('{"success":true,"type":"OK"}');
  });

  it("waits for promises and GGPromises", async () => {
    expect(await call(async () => ({ text: "p" }))).toMatchObject({ data: { text: "p" } });
    const asResult = Promise.resolve({ success: true, type: "OK", data: { text: "g" } } as const);
    expect(await call(() => new GGPromise(asResult))).toMatchObject({ data: { text: "g" } });
    expect(await call(() => new GGPromise(Promise.resolve(new NOT_FOUND())))).toBeInstanceOf(NOT_FOUND);
  });

  it("takes a returned result as the result", async () => {
    expect(await call(() => ({ success: true, type: "OK", data: { text: "r" } }))).toMatchObject({
      data: { text: "r" },
    });
    expect(await call(() => ({ success: false, type: "NOT_FOUND", context: { ref: "r1" } }))).toMatchObject({
      type: "NOT_FOUND",
      context: { ref: "r1" },
    });
  });

  it("answers invalid output with a SERVER_ERROR that does not expose it", async () => {
    const result = await call(() => ({ txt: "secret" }));
    expect(result).toBeInstanceOf(SERVER_ERROR);
    expect(result).toMatchObject({ context: { displayMessage: "Invalid response" } });
    expect(JSON.stringify(result)).not.toContain("secret");
    expect((result as ERROR).getDebugContext()?.debugData).toMatchObject([{ path: "text", code: "required" }]);
  });

  it("lets listed errors through, with their data checked and stripped", async () => {
    const thrown = new NOT_FOUND({ debugMessage: "why" });
    expect(await call(() => Promise.reject(thrown))).toBe(thrown);
    const limited = await call(() => {
      throw new LIMITED({ retry: "3", secret: 1 } as never, { displayMessage: "Wait", debugMessage: "why" });
    });
    expect(limited).toBeInstanceOf(LIMITED);
    expect(limited).toMatchObject({ data: { retry: 3 }, context: { displayMessage: "Wait" } });
    expect(JSON.stringify(limited)).not.toContain("secret");
    expect((limited as ERROR).getDebugContext()).toMatchObject({ debugMessage: "why" });
    expect(await call(() => ({ success: false, type: "LIMITED_CALL", data: {} }))).toBeInstanceOf(SERVER_ERROR);
  });

  it("turns other errors into SERVER_ERROR with the reference of the original", async () => {
    const thrown = new UNKNOWN_ERROR({ displayMessage: "internal" });
    const result = (await call(() => Promise.reject(thrown))) as ERROR;
    expect(result).toBeInstanceOf(SERVER_ERROR);
    expect(result.context).toMatchObject({ displayMessage: "Invalid response", ref: thrown.context?.ref });
    expect(result.getDebugContext()).toEqual({
      debugMessage: "Tried to reply with not listed error code!",
      originalError: thrown,
    });
    expect(await call(() => Promise.reject(new FORBIDDEN()))).toBeInstanceOf(SERVER_ERROR);
  });

  it("turns exceptions into SERVER_ERROR without details", async () => {
    const result = await call(() => {
      throw new Error("password=1");
    });
    expect(result).toBeInstanceOf(SERVER_ERROR);
    expect(JSON.stringify(result)).not.toContain("password");
  });

  it("drops the data of a SERVER_ERROR", async () => {
    const result = await call(() => ({ success: false, type: "SERVER_ERROR", data: { secret: 1 } }));
    expect(result).toBeInstanceOf(SERVER_ERROR);
    expect((result as ERROR).data).toBe(undefined);
  });

  it("never throws, whatever the outcome", async () => {
    const hostile = Object.defineProperty({}, "text", {
      enumerable: true,
      get() {
        throw new Error("trap");
      },
    });
    expect(await call(() => 1, hostile)).toBeInstanceOf(SERVER_ERROR);
    expect(await call(() => hostile)).toBeInstanceOf(SERVER_ERROR);
    let deep: unknown = "end";
    for (let i = 0; i < 100_000; i++) deep = { next: deep };
    const IsDeep: { input: ReturnType<typeof IsObject> } = {
      input: IsObject(() => ({ next: IsDeep.input.orUndefined })),
    };
    expect(await call(() => 1, deep, IsDeep)).toBeInstanceOf(ERROR);
  });

  it("passes everything through unchecked with noValidation", async () => {
    const result = await GGContractExecutor.call(echo, { text: "" }, { noValidation: true }, (input) => input);
    expect(result).toEqual({ success: true, type: "OK", data: { text: "" } });
  });
});

describe("the calling side", () => {
  const receive = (json: object, contract: object = echo) =>
    GGContractExecutor.call(contract, { text: "a" }, undefined, () => json);

  it("takes SERVER_ERROR, listed or not, with its context and without a stack", async () => {
    const context = { displayMessage: "d", timestamp: 5, ref: "r" };
    const error = await receive({ success: false, type: "SERVER_ERROR", statusCode: 1, context });
    expect(error).toBeInstanceOf(SERVER_ERROR);
    expect(error).toMatchObject({ statusCode: 500, context });
    expect((error as ERROR).stack).toBe(undefined);
  });

  it.each(["NOT_AUTHORIZED", "FORBIDDEN", "ROUTE_NOT_FOUND", "EXISTS", "VALIDATION_ERROR", "PAYLOAD_TOO_LARGE"])(
    "does not take %s from the framework unless it is listed",
    async (type) => {
      const error = await receive({ success: false, type, context: { displayMessage: "d" } });
      expect(error).toBeInstanceOf(SERVER_ERROR);
      expect((error as ERROR).context?.displayMessage).toBe("Invalid response");
    },
  );

  const listing = { success: IsString, errors: [VALIDATION_ERROR] };
  const invalid = (...data: object[]) => ({ success: false, type: "VALIDATION_ERROR", data, statusCode: 422 });
  const issue = { path: "text", code: "required", message: "Value is required", value: 5 };

  it("reads a listed VALIDATION_ERROR with its own schema, which drops the offending value", async () => {
    const error = await receive(invalid({ ...issue, params: { min: 1 }, usedLanguage: "en" }), listing);
    expect(error).toBeInstanceOf(VALIDATION_ERROR);
    expect((error as ERROR).data).toEqual([
      { path: "text", code: "required", message: "Value is required", params: { min: 1 }, usedLanguage: "en" },
    ]);
  });

  it.each(["path", "code", "message"])(
    "takes a VALIDATION_ERROR with an empty %s for an invalid response",
    async (key) => {
      const error = await receive(invalid(issue, { ...issue, [key]: "" }), listing);
      expect(error).toBeInstanceOf(SERVER_ERROR);
      expect((error as ERROR).context?.displayMessage).toBe("Invalid response");
    },
  );

  it("rejects an issue about the whole input", async () => {
    const bad = GGContractExecutor.parseInput(IsString, undefined) as typeof VALIDATION_ERROR.infer;
    expect(bad).toBeInstanceOf(VALIDATION_ERROR);
    expect(bad.data).toEqual([{ path: "", code: "required", message: "Value is required" }]);
    expect(VALIDATION_ERROR.schema?.is(bad.data)).toBe(false);
    expect(await receive(bad.toJSON(), listing)).toBeInstanceOf(SERVER_ERROR);
  });

  it("does not accept an unlisted error of the app, nor a malformed one", async () => {
    expect(await receive({ success: false, type: "NOT_IN_CONTRACT" })).toBeInstanceOf(SERVER_ERROR);
    expect(await receive(invalid({ path: 1 }), listing)).toBeInstanceOf(SERVER_ERROR);
    expect(await receive({ success: false, type: "LIMITED_CALL", data: {} })).toBeInstanceOf(SERVER_ERROR);
  });

  it("ignores a peer's context except text and time", async () => {
    const error = await receive({
      success: false,
      type: "NOT_FOUND",
      context: { displayMessage: { a: 1 }, debugMessage: "x" },
    });
    expect(error).toBeInstanceOf(NOT_FOUND);
    expect((error as ERROR).context?.displayMessage).toBe(undefined);
    expect((error as ERROR).hasDebugContext()).toBe(false);
  });
});

describe("the parts of the executor", () => {
  it("parseInput gives a result or a VALIDATION_ERROR", () => {
    expect(GGContractExecutor.parseInput(IsNumber, "5")).toEqual({ success: true, type: "OK", data: 5 });
    expect(GGContractExecutor.parseInput(IsNumber, "x")).toBeInstanceOf(VALIDATION_ERROR);
    expect(GGContractExecutor.parseInput(undefined, "x")).toEqual({ success: true, type: "OK", data: undefined });
  });

  it("getResponseSchema finds the schema of what came back", () => {
    const { getResponseSchema } = GGContractExecutor;
    expect(getResponseSchema(echo, { success: true, type: "OK", data: 1 })).toBe(echo.success);
    expect(getResponseSchema(echo, new LIMITED({ retry: 1 }).toJSON())).toBe(LIMITED.schema);
    expect(getResponseSchema(echo, new NOT_FOUND().toJSON())).toBe(undefined);
    expect(getResponseSchema(echo, new FORBIDDEN().toJSON())).toBe(null);
  });

  it("assertResponse throws unless it is a result", () => {
    expect(() => GGContractExecutor.assertResponse({ success: true, type: "OK" })).not.toThrow();
    expect(() => GGContractExecutor.assertResponse(new NOT_FOUND().toJSON())).not.toThrow();
    for (const value of [null, "x", {}, { success: true }]) {
      expect(() => GGContractExecutor.assertResponse(value)).toThrow("Not a result");
    }
  });

  it("are exactly these", () => {
    const members = Object.entries(Object.getOwnPropertyDescriptors(GGContractExecutor));
    const statics = members.filter(([, { value }]) => typeof value === "function").map(([name]) => name);
    expect(statics.sort()).toEqual([
      "assertResponse",
      "call",
      "createErrorObj",
      "getResponseSchema",
      "parseInput",
      "parseOutputData",
    ]);
  });
});

describe("createErrorObj", () => {
  const { createErrorObj } = GGContractExecutor;
  const context = { displayMessage: "d", ref: "r" };
  const json = (type: string, data?: unknown) => ({ success: false, type, data, context }) as const;

  it.runIf(process.version.startsWith("v20."))("throws on Node 20, where errors are frozen with their stack", () => {
    expect(() => createErrorObj(json("NOT_FOUND"))).toThrow(TypeError);
    expect(() => createErrorObj(json("LIMITED_CALL", { retry: 1 }), [LIMITED])).toThrow("'stack'");
    expect(() => createErrorObj(json("NOT_KNOWN"))).toThrow(TypeError);
  });

  describe("where a stack can be removed", () => {
    // As on the Node versions that keep the stack of a frozen object writable.
    beforeEach(() => {
      vi.spyOn(Object, "freeze").mockImplementation((value: unknown) => value as never);
    });
    afterEach(() => {
      vi.restoreAllMocks();
    });

    it.each(["NOT_AUTHORIZED", "FORBIDDEN", "NOT_FOUND", "ROUTE_NOT_FOUND", "EXISTS", "SERVER_ERROR"])(
      "knows %s, and keeps its context",
      (type) => {
        const error = createErrorObj(json(type));
        expect(error).toMatchObject({ type, context });
        expect(error.stack).toBe(undefined);
      },
    );

    it("knows VALIDATION_ERROR and the classes given, with their data as it is", () => {
      expect(createErrorObj(json("VALIDATION_ERROR", [{ path: "" }]))).toMatchObject({ data: [{ path: "" }], context });
      const error = createErrorObj(json("LIMITED_CALL", { retry: 1 }), [NOT_FOUND, LIMITED]);
      expect(error).toBeInstanceOf(LIMITED);
      expect(error).toMatchObject({ data: { retry: 1 }, context });
    });

    it.each(["BAD_REQUEST", "PAYLOAD_TOO_LARGE", "LIMITED_CALL", "toString"])(
      "makes a SERVER_ERROR of %s, without its context",
      (type) => {
        const error = createErrorObj(json(type));
        expect(error).toBeInstanceOf(SERVER_ERROR);
        expect(error.context?.displayMessage).toBe(undefined);
        expect(error.context?.ref).not.toBe("r");
        expect(error.getDebugContext()?.debugData).toEqual(json(type));
      },
    );
  });
});

describe("GGContractClass", () => {
  const contract = new GGContractClass("Api", { echo, ping: {} });

  it("is frozen with its methods", () => {
    for (const part of [contract, contract.methods, contract.methods.echo]) expect(Object.isFrozen(part)).toBe(true);
    expect(contract.name).toBe("Api");
  });

  it("implements: each method of the client runs the handler, as a GGPromise", async () => {
    class Service {
      prefix = ">";
      async echo({ text }: { text: string }) {
        return { text: this.prefix + text };
      }
      async ping() {}
    }
    const client = contract.implement(new Service());
    const reply = client.echo({ text: "a", times: 1 as tUint });
    expect(reply).toBeInstanceOf(GGPromise);
    expect(await reply).toEqual({ text: ">a" });
    expect(await client.ping()).toBe(undefined);
    const invalid = await client.echo({ text: "", times: 1 as tUint }).asResult();
    expect(invalid.type).toBe("VALIDATION_ERROR");
  });

  it("names a handler that is missing", () => {
    expect(() => contract.implement({ echo: () => ({ text: "" }) } as never)).toThrow("Handler missing for Api.ping");
    expect(() => new GGContractClass("Odd", { toString: {} }).implement({} as never)).toThrow(
      "Handler missing for Odd.toString",
    );
  });

  it("skips validation with noValidation", async () => {
    const client = contract.implement({ echo: async (data) => data, ping: async () => {} }, { noValidation: true });
    expect(await client.echo({ text: "", times: -1 as tUint })).toEqual({ text: "", times: -1 });
  });
});
