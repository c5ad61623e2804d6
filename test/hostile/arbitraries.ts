import fc from "fast-check";

/** Names with a meaning in JavaScript or on this wire, or with none. */
const NAMES = [
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "error",
  "then",
  "echo",
  "nope",
  "",
  "\n",
  ":",
  "\u0000",
];

const json = fc.oneof(
  fc.json({ maxDepth: 3 }),
  fc.constantFrom(
    "",
    "{",
    "null",
    "undefined",
    '"x"',
    '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}',
    '{"toJSON":"x","then":1}',
    '"\\ud800"',
    "[".repeat(5_000),
    `${"[".repeat(3_000)}${"]".repeat(3_000)}`,
    `${'{"a":'.repeat(1_000)}1${"}".repeat(1_000)}`,
    "9".repeat(400),
    `"${"x".repeat(20_000)}"`,
  ),
);

const id = fc.oneof(
  fc.nat().map(String),
  fc.constantFrom("", "1", "-1", "1e9", "__proto__", "\n", "9".repeat(5_000)),
  fc.string({ maxLength: 8 }),
);

const path = (api: string) =>
  fc.oneof(
    fc.constantFrom(`${api}.echo`, `${api}.note`, `${api}.fail`, api, ...NAMES),
    fc.constantFrom(...NAMES).map((name) => `${api}.${name}`),
    fc.string({ maxLength: 12 }),
  );

const type = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom("m", "r", "r", "r", "s", "c") },
  { weight: 3, arbitrary: fc.constantFrom("h", "k", "x", "p", "o", "d", "rr", "", "R") },
  { weight: 1, arbitrary: fc.string({ maxLength: 2 }) },
);

/** One text that a hostile peer may send to an end that serves this API. */
function anyFrame(api: string): fc.Arbitrary<string> {
  const frame = fc.tuple(type, path(api), id, json).map((parts) => parts.join(":"));
  return fc.oneof(
    { weight: 6, arbitrary: frame },
    { weight: 1, arbitrary: fc.array(frame, { maxLength: 4 }).map((frames) => frames.join("\n")) },
    { weight: 1, arbitrary: fc.string({ unit: "binary" }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        "",
        ":",
        "::::",
        "\n\n",
        "h",
        "r",
        "r:",
        "r::",
        "r:::",
        "s::1:",
        "d:::9e99",
        "d:::NaN",
      ),
    },
  );
}

/** A sequence of them. */
export function anyFrames(api: string): fc.Arbitrary<string[]> {
  return fc.array(anyFrame(api), { minLength: 10, maxLength: 40, size: "max" });
}

/** How often a property is tried, and with what seed; set by `HOSTILE_RUNS` and `HOSTILE_SEED`. */
export const RUNS: fc.Parameters<unknown> = {
  numRuns: Number(process.env.HOSTILE_RUNS ?? 40),
  seed: Number(process.env.HOSTILE_SEED ?? 20_261_124),
  endOnFailure: true,
};
