import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import {
  type GGSchema,
  type GGValidator,
  IsArray,
  IsBoolean,
  IsLiteral,
  IsNumber,
  IsObject,
  IsRecord,
  IsString,
  IsUnion,
  IsUnknown,
  VALIDATION_ERROR,
} from "@grest-ts/schema";
import { defineSocketContract, webSocketSchema } from "@grest-ts/websocket";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { compileMethod } from "../../src/connection/methods/compiledMethod.js";
import { probe } from "../support/probe.js";
import { RawPeer } from "../support/rawPeer.js";
import { serveApi } from "../support/server.js";

// What a payload may cost: a small multiple of its own size, whatever its contract.

const root = fileURLToPath(new URL("../..", import.meta.url));
const nested = (depth: number, inner = "") => `${"[".repeat(depth)}${inner}${"]".repeat(depth)}`;
const listOf = (item: string, length: number) =>
  `[${`${item},`.repeat(Math.floor(length / (item.length + 1)))}${item}]`;
const MB = 1024 * 1024;

/** What one `readInput` made of a payload, and how many members of it were read. */
function read(input: GGValidator<unknown>, payload: string) {
  let reads = 0;
  let values = 0;
  const counting = (value: unknown): unknown => {
    values++;
    if (typeof value !== "object" || value === null) return value;
    const members = Array.isArray(value) ? value : Object.entries(value);
    const copy = Array.isArray(value)
      ? members.map(counting)
      : Object.fromEntries(members.map(([key, member]) => [key, counting(member)]));
    return new Proxy(copy as object, {
      get(target, key) {
        if (typeof key === "string" && Object.hasOwn(target, key) && key !== "length") reads++;
        return Reflect.get(target, key);
      },
    });
  };
  const method = compileMethod("Cost.it", "it", { input });
  let issues: readonly unknown[] = [];
  try {
    method.readInput(payload, (text) => counting(JSON.parse(text)));
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(VALIDATION_ERROR);
    issues = (thrown as typeof VALIDATION_ERROR.infer).data;
    expect(issues.length).toBeGreaterThan(0);
  }
  return { reads, values, issues };
}

describe("validating reads each value a bounded number of times", () => {
  /** A schema, and of how many validators it consists. */
  interface Sized {
    readonly schema: GGSchema<unknown>;
    readonly size: number;
  }
  const leaf = fc
    .constantFrom<GGSchema<unknown>>(IsString, IsNumber, IsBoolean, IsLiteral("x", 1), IsString.minLength(2).orNull)
    .map((schema): Sized => ({ schema, size: 1 }));
  const sum = (parts: readonly Sized[]) => parts.reduce((total, { size }) => total + size, 1);
  const { contract } = fc.letrec<{ contract: Sized }>((tie) => ({
    contract: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      leaf,
      tie("contract").map(({ schema, size }) => ({ schema: IsArray(schema), size: size + 1 })),
      tie("contract").map(({ schema, size }) => ({ schema: IsRecord(schema), size: size + 1 })),
      tie("contract").map(({ schema, size }) => ({ schema: IsArray(schema).orNull, size: size + 1 })),
      fc.array(tie("contract"), { minLength: 2, maxLength: 3 }).map((parts) => {
        const [first, ...rest] = parts.map(({ schema }) => schema) as [GGSchema<unknown>, ...GGSchema<unknown>[]];
        return { schema: IsUnion(first, ...rest), size: sum(parts) };
      }),
      fc.array(tie("contract"), { minLength: 1, maxLength: 3 }).map((parts) => ({
        schema: IsObject(
          Object.fromEntries(parts.map(({ schema }, at) => [`f${at}`, at % 2 ? schema.orUndefined : schema])),
        ),
        size: sum(parts),
      })),
    ),
  }));
  const item = fc.constantFrom("[]", "{}", "null", "1", '"x"', '{"f0":[]}', '{"f0":"5","f1":{}}', "[[[]]]", "[1,[2]]");
  const payload = fc.oneof(
    item.map((one) => listOf(one, 6_000)),
    fc.tuple(item, item).map(([one, last]) => `${listOf(one, 6_000).slice(0, -1)},${last}]`),
    item.map((one) => `{"f0":${listOf(one, 6_000)},"f1":${listOf(one, 6_000)}}`),
    item.map((one) => listOf(listOf(one, 60), 6_000)),
    item.map((one) => `{${Array.from({ length: 500 }, (_, key) => `"${key}":${one}`)}}`),
    fc.integer({ min: 1, max: 100 }).map((depth) => nested(depth)),
    item.map((one) => `{"${"k".repeat(5_000)}":${one}}`),
  );

  it("for any contract and payload", () => {
    fc.assert(
      fc.property(contract, payload, ({ schema, size }, text) => {
        const { reads, values, issues } = read(schema, text);
        expect(reads).toBeLessThanOrEqual(5 * size * values + 1_000);
        expect(issues.length).toBeLessThanOrEqual(100);
        expect(JSON.stringify(issues).length).toBeLessThan(text.length + 150_000);
      }),
      { numRuns: 300 },
    );
  });

  it.each<[string, GGSchema<unknown>, string]>([
    ["an array of wrong elements", IsArray(IsString), listOf("[]", MB)],
    ["an array of elements that fit no variant", IsArray(IsUnion(IsString, IsNumber, IsBoolean)), listOf("[]", MB)],
    ["arrays in arrays", IsArray(IsArray(IsNumber)), listOf(listOf("{}", 3_000), MB)],
    ["a record", IsRecord(IsNumber), `{${Array.from({ length: 100_000 }, (_, key) => `"${key}":[]`)}}`],
    [
      "the keys of a record",
      IsRecord(IsString.minLength(9), IsNumber),
      `{${Array.from({ length: 9_999 }, (_, key) => `"${key}":1`)}}`,
    ],
  ])("and stops at the bound of its issues: %s", (_, schema, text) => {
    const { reads, values, issues } = read(schema, text);
    expect(values).toBeGreaterThan(9_000);
    expect(reads).toBeLessThan(1_000);
    expect(issues).toHaveLength(100);
  });

  it("also in the tree of a recursive shape", () => {
    type Tree = { left?: Tree; right?: Tree; v: string };
    const IsTree: GGSchema<Tree> = IsObject(() => ({
      left: (IsTree as GGSchema<Tree>).orUndefined,
      right: (IsTree as GGSchema<Tree>).orUndefined,
      v: IsString,
    })) as GGSchema<Tree>;
    const tree = (depth: number): string =>
      depth === 0 ? '{"v":[]}' : `{"left":${tree(depth - 1)},"right":${tree(depth - 1)},"v":[]}`;
    const { reads, values, issues } = read(IsTree, tree(12));
    expect(values).toBeGreaterThan(10_000);
    expect(reads).toBeLessThan(1_500);
    expect(issues).toHaveLength(100);
  });

  it.each(["valid", "invalid", "converted"])("also where the variants of a union contain it: %s", (which) => {
    type Node = { next?: Node | undefined; type: string };
    const IsNode: GGSchema<Node> = IsUnion(
      IsObject(() => ({ next: (IsNode as GGSchema<Node>).orUndefined, n: IsNumber.orUndefined, type: "a" as const })),
      IsObject(() => ({ next: (IsNode as GGSchema<Node>).orUndefined, n: IsNumber.orUndefined, type: "b" as const })),
      IsObject(() => ({ next: (IsNode as GGSchema<Node>).orUndefined, n: IsNumber.orUndefined, type: "c" as const })),
    ) as GGSchema<Node>;
    const n = which === "converted" ? ',"n":"1"' : "";
    const last = which === "invalid" ? "x" : "c";
    let text = `{"type":"${last}"${n}}`;
    for (let depth = 0; depth < 7; depth++) text = `{"next":${text},"type":"c"}`;
    const { reads, values, issues } = read(IsNode, text);
    expect(issues).toHaveLength(which === "invalid" ? 1 : 0);
    expect(reads).toBeLessThan(30 * values);
  });

  it("refines a valid element twice at most", () => {
    let refined = 0;
    const Counted = IsNumber.refine(() => ++refined > 0, { code: "x", message: "x", add: () => false as const });
    read(IsArray(Counted), `${listOf("1", 20_000).slice(0, -1)},[]]`);
    expect(refined).toBeLessThan(22_000);
  });
});

describe("the issues of a foreign validator", () => {
  const refusing = (issues: object) =>
    ({ safeParse: () => ({ success: false, issues }) }) as unknown as GGValidator<object>;

  it("are read one by one, no more than are sent", () => {
    let asked = 0;
    const at =
      <T>(value: T) =>
      (index: number) => {
        asked = Math.max(asked, index + 1);
        return value;
      };
    const list = {
      length: 1_000_000,
      getPath: at("p"),
      getIssue: at({ code: "c" }),
      getMessage: at("m"),
      getParams: at({ min: 1 }),
      getValue: at("v"),
      toJSON: () => expect.fail("all of them are made"),
    };
    const { issues } = read(refusing(list), "1");
    expect(issues).toHaveLength(100);
    expect(issues[0]).toEqual({ path: "p", code: "c", message: "m", params: { min: 1 }, value: "v" });
    expect(asked).toBe(100);
  });

  it("may be a bare list", () => {
    const issue = { path: "p", code: "c", message: "m" };
    expect(read(refusing({ toJSON: () => [issue] }), "1").issues).toEqual([issue]);
    expect(read(refusing({ toJSON: () => Array(200).fill(issue) }), "1").issues).toHaveLength(100);
  });

  /** The issues in the reply of a server whose method has this validator. */
  async function answered(input: object, payload: string): Promise<unknown[]> {
    const contract = defineSocketContract("Foreign", {
      clientToServer: { it: { input: input as GGSchema<unknown>, success: IsNumber } },
      serverToClient: {},
    });
    const Api = webSocketSchema(contract).path("ws").done();
    const { url } = await serveApi(Api, (incoming) => incoming.on({ it: () => 1 }));
    const peer = await RawPeer.connect(url);
    peer.send(`r:Foreign.it:1:${payload}`);
    return JSON.parse((await peer.next()).replace("s:Foreign.it:1:", "")).data;
  }

  it.each([
    ["large", "x".repeat(MB)],
    ["wide", Array(100_000).fill(0)],
    ["deep", JSON.parse(nested(1_000_000))],
  ])("are answered without a value that is %s", async (_, value) => {
    const issue = { path: "p", code: "c", message: "m", value };
    expect(await answered(refusing({ toJSON: () => [issue, { ...issue, value: ["x", { y: 1 }] }] }), "1")).toEqual([
      { path: "p", code: "c", message: "m" },
      { path: "p", code: "c", message: "m", value: ["x", { y: 1 }] },
    ]);
  });

  it("are answered with short texts, although keys of the payload are part of them", async () => {
    const long = "k".repeat(MB);
    const issue = { path: long, code: long, message: long, params: { long } };
    const foreign = await answered(refusing({ toJSON: () => [issue] }), "1");
    expect(JSON.stringify(foreign).length).toBeLessThan(5_000);
    const own = await answered(IsRecord(IsArray(IsNumber)), `{"${long}":${listOf("[]", 3_000)}}`);
    expect(own).toHaveLength(100);
    expect(JSON.stringify(own).length).toBeLessThan(100_000);
  });
});

describe("limits.maxValues", () => {
  const Api = webSocketSchema(
    defineSocketContract("Values", {
      clientToServer: {
        take: { input: IsUnknown, success: IsNumber },
        flat: { input: IsArray(IsNumber), success: IsNumber },
      },
      serverToClient: {},
    }),
  )
    .path("ws/values")
    .done();
  const serveValues = (maxValues?: number) =>
    serveApi(Api, (incoming) => incoming.on({ take: () => 1, flat: () => 1 }), { limits: { maxValues } as object });

  it.each(["take", "flat"])("refuses a payload of more as one that is no JSON, and logs it: %s", async (method) => {
    const { url, logger } = await serveValues(10);
    const peer = await RawPeer.connect(url);
    peer.send(`r:Values.${method}:1:[1,2,3,4,5,6,7,8,9]`, `r:Values.${method}:2:[1,2,3,4,5,6,7,8,9,10]`);
    expect(await peer.next()).toBe(`s:Values.${method}:1:{"success":true,"type":"OK","data":1}`);
    expect(await peer.next()).toMatch(/^s:Values\.\w+:2:\{"success":false,"type":"VALIDATION_ERROR".*"invalid\.json"/);
    expect(logger.entries).toMatchObject([{ level: "warn", message: "Values: a payload had too many values" }]);
  });

  it.each<[string, number]>([
    ['{"a":1,"b":[],"c":{},"d":[2,3]}', 7],
    ['["a,b,[c","\\"[,,,\\\\",{"x,y":",,,,,,"}]', 5],
    ["[[],[],[[]]]", 5],
    ['"[1,2,3,4,5,6,7,8,9]"', 1],
  ])("counts the values of %s", async (text, count) => {
    for (const [maxValues, expected] of [
      [count, "true"],
      [count - 1, "false"],
    ] as const) {
      if (maxValues === 0) continue;
      const { url } = await serveValues(maxValues);
      const peer = await RawPeer.connect(url);
      peer.send(`r:Values.take:1:${text}`);
      expect(await peer.next()).toContain(`{"success":${expected}`);
    }
  });

  it("is a million by default, and must be a number", async () => {
    const { url } = await serveValues();
    const peer = await RawPeer.connect(url);
    peer.send(`r:Values.take:1:[${"1,".repeat(999_998)}1]`, `r:Values.take:2:[${"1,".repeat(999_999)}1]`);
    expect(await peer.next()).toContain('{"success":true');
    expect(await peer.next()).toContain("VALIDATION_ERROR");
    await expect(serveValues(0)).rejects.toThrow("limits.maxValues must be a number of 1 or more, not 0");
  });

  it("has a client in Node as well", async () => {
    const { client, server } = await probe();
    const accepted = server.accept();
    await client.connect();
    const peer = await accepted;
    const result = client.outgoing.echo({ text: "x" }).asResult();
    await peer.next();
    peer.send(`s:Probe.echo:1:{"success":true,"type":"OK","data":{"text":"x","more":[${"1,".repeat(1_000_000)}1]}}`);
    expect(await result).toMatchObject({ type: "SERVER_ERROR", context: { displayMessage: "Invalid response" } });
  });
});

describe("nesting", () => {
  interface Tree {
    readonly children: Tree[];
  }
  const IsTree: GGSchema<Tree> = IsObject(() => ({ children: IsArray(IsTree) }));
  const foreign = { safeParse: (value: unknown) => ({ success: true, value }) } as unknown as GGSchema<unknown>;
  const methods = {
    text: IsString,
    fields: IsObject({
      text: IsString.orUndefined,
      list: IsArray(IsNumber).orUndefined,
      either: IsUnion(IsString, IsArray(IsString)).orUndefined,
    }),
    five: IsArray(IsArray(IsArray(IsArray(IsArray(IsNumber))))),
    unknown: IsObject({ any: IsUnknown.orUndefined }),
    tree: IsTree,
    record: IsRecord(IsUnknown),
    union: IsUnion(IsString, IsArray(IsUnknown)),
    converted: IsString.coerce((value) => JSON.stringify(value)),
    foreign,
  };
  const Api = webSocketSchema(
    defineSocketContract("Deep", {
      clientToServer: Object.fromEntries(
        Object.entries(methods).map(([name, input]) => [name, { input, success: IsString }]),
      ),
      serverToClient: {},
    }),
  )
    .path("ws/deep")
    .done();

  async function start(maxDepth?: number) {
    const handlers = Object.fromEntries(Object.keys(methods).map((name) => [name, () => "fine"]));
    const { url, logger } = await serveApi(Api, (incoming) => incoming.on(handlers as never), {
      limits: maxDepth ? { maxDepth } : {},
    });
    return { peer: await RawPeer.connect(url), logger };
  }
  const DEEP = nested(300_000);

  it.each([
    ["text", DEEP, "VALIDATION_ERROR"],
    ["fields", DEEP, "VALIDATION_ERROR"],
    ["fields", `{"text":${DEEP},"list":[${DEEP}],"either":[${DEEP}]}`, "VALIDATION_ERROR"],
    ["fields", `{"unknown":${DEEP}}`, "OK"],
    ["five", DEEP, "VALIDATION_ERROR"],
  ])("that the schema bounds itself is harmless, and is not looked for: %s", async (method, text, type) => {
    const { peer, logger } = await start();
    peer.send(`r:Deep.${method}:1:${text}`);
    const reply = await peer.next();
    expect(reply).toContain(`"type":"${type}"`);
    expect(reply).not.toContain("invalid.json");
    expect(reply.length).toBeLessThan(5_000);
    expect(logger.entries).toEqual([]);
  });

  it.each(["unknown", "tree", "record", "union", "converted", "foreign"])(
    "that the schema does not bound is refused before it is parsed: %s",
    async (method) => {
      const { peer, logger } = await start();
      peer.send(`r:Deep.${method}:1:${DEEP}`, `r:Deep.${method}:2:{"any":${nested(128)}}`);
      for (const reply of await peer.frames.take(2)) expect(reply).toContain("invalid.json");
      expect(logger.entries.map(({ message }) => message)).toEqual([
        "Deep: a payload was nested too deep",
        "Deep: a payload was nested too deep",
      ]);
    },
  );

  it("may not be deeper than the limit where the schema allows more", async () => {
    const { peer } = await start(4);
    peer.send(`r:Deep.five:1:${nested(4)}`, `r:Deep.five:2:${nested(5, "1")}`);
    expect(await peer.next()).toContain('{"success":true');
    expect(await peer.next()).toContain("invalid.json");
  });
});

describe("a server with a small heap survives", () => {
  async function start() {
    const program = "test/fixtures/programs/costlyServer.ts";
    const child = spawn(process.execPath, ["--max-old-space-size=384", "--import", "tsx", program], {
      cwd: root,
      env: { ...process.env, NODE_OPTIONS: "" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    const [port] = (await once(child.stdout, "data")) as [Buffer];
    const died = once(child, "close").then(([code, signal]) => `the server ended: ${code} ${signal}`);
    return { base: `ws://127.0.0.1:${Number(`${port}`)}`, died };
  }
  const size = 16 * MB - 100;
  const keyed = (value: string, count: number) =>
    `{${Array.from({ length: count }, (_, key) => `"${key.toString(36)}":${value}`)}}`;
  const PAYLOADS: readonly (readonly [method: string, payload: string])[] = [
    ["unions", listOf("[]", MB)],
    ["unions", listOf("[]", 6 * MB)],
    ["unions", listOf("{}", size)],
    ["unions", listOf('{"b":1,"list":[1,2,{}]}', size)],
    ["unions", `${listOf('{"b":1,"list":["x"]}', size - MB).slice(0, -1)},[]]`],
    ["strings", listOf("1", size)],
    ["strings", listOf("null", size)],
    ["strings", `[${"[]".padEnd(12, " ")}${`,${"[]".padEnd(20, " ")}`.repeat(700_000)}]`],
    ["records", keyed("[[]]", 500_000)],
    ["records", `{"${"k".repeat(size)}":[{}]}`],
    ["records", `{"${"k".repeat(size - MB)}":[${"{},".repeat(1_000)}{}]}`],
    ["matrix", listOf(listOf("{}", 300), 6 * MB)],
    ["matrix", `[[${nested(3_000_000)}]]`],
    ["text", `"${"x".repeat(size)}"`],
    ["text", nested(size / 2)],
  ];

  /** With more values than a payload may have by default. */
  const BEYOND_LIMIT: typeof PAYLOADS = [
    ["unions", listOf("[]", 6 * MB)],
    ["unions", listOf("{}", size)],
    ["strings", listOf("null", size)],
    ["matrix", listOf(listOf("{}", 300), 6 * MB)],
  ];

  it("hostile payloads, with the limits that it has by default and without", async () => {
    const { base, died } = await start();
    const exchanges = [
      ...PAYLOADS.map((exchange) => ["Limited", ...exchange] as const),
      ...BEYOND_LIMIT.map((exchange) => ["Unlimited", ...exchange] as const),
    ];
    for (const [id, [api, method, payload]] of exchanges.entries()) {
      const peer = await RawPeer.connect(`${base}/${api}`);
      peer.send(`r:${api}.${method}:${id}:${payload}`);
      const reply = await Promise.race([peer.next(), died]);
      expect(reply.slice(0, 80)).toMatch(new RegExp(`^s:${api}\\.${method}:${id}:.*"type":"(VALIDATION_ERROR|OK)"`));
      expect(reply.length).toBeLessThan(200_000);
      peer.ws.terminate();
    }
    const peer = await RawPeer.connect(`${base}/Limited`);
    peer.send('r:Limited.text:1:"x"');
    expect(await Promise.race([peer.next(), died])).toContain('{"success":true');
  }, 60_000);
});
