import { join } from "node:path";
import ts from "typescript";
import { expect, it } from "vitest";
import { root } from "../support/paths.js";
import { programOf } from "./compiler.js";

const ENTRIES = { "@grest-ts/websocket": "src/index.ts", "@grest-ts/websocket/testkit": "testkit/index-testkit.ts" };

/** What programs get and do not write, and the contract's methods, which the framework's own types must take as well. */
const GIVEN = new Set([
  "ClientStateDetail",
  "GGFieldErrors",
  "GGSocketMethod",
  "GGTestErrors",
  "GGWebSocketSchema",
  "SocketFailure",
  "WsConnectionContext",
]);

/** The exported types with optional members, each as a program writes it. */
function typesWithOptions(): string[] {
  const imports = Object.keys(ENTRIES).map((name) => `import "${name}";`);
  const { program } = programOf(imports.join("\n"));
  const checker = program.getTypeChecker();
  return Object.entries(ENTRIES).flatMap(([name, path]) => {
    const file = program.getSourceFile(join(root, path));
    const module = file && checker.getSymbolAtLocation(file);
    if (!module) throw new Error(`${path} is not part of the program`);
    return checker
      .getExportsOfModule(module)
      .filter((symbol) => !GIVEN.has(symbol.name) && hasOptions(checker, declared(checker, symbol)))
      .map((symbol) => `import("${name}").${symbol.name}${typeArguments(declared(checker, symbol))}`);
  });
}

const declared = (checker: ts.TypeChecker, symbol: ts.Symbol): ts.Symbol =>
  symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;

function hasOptions(checker: ts.TypeChecker, symbol: ts.Symbol): boolean {
  if (!(symbol.flags & (ts.SymbolFlags.Interface | ts.SymbolFlags.TypeAlias))) return false;
  const members = checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol));
  return members.some(({ flags }) => flags & ts.SymbolFlags.Optional && !(flags & ts.SymbolFlags.Method));
}

function typeArguments({ declarations = [] }: ts.Symbol): string {
  const parameters = declarations.flatMap((it) =>
    ts.isInterfaceDeclaration(it) || ts.isTypeAliasDeclaration(it) ? (it.typeParameters ?? []) : [],
  );
  return parameters.length > 0 ? `<${parameters.map(() => "object").join(", ")}>` : "";
}

/** The optional members of these types that do not take `undefined`, as the compiler writes them. */
function refusedUndefined(types: readonly string[]): Record<string, string> {
  const { program, source } = programOf(
    `type Optional<T> = { [K in keyof T]-?: {} extends Pick<T, K> ? K : never }[keyof T];
    type Refused<T> = { [K in Optional<T>]: { [_ in K]: undefined } extends Pick<T, K> ? never : K }[Optional<T>];
    type Results = [${types.map((type) => `Refused<${type}>`).join(", ")}];`,
    { exactOptionalPropertyTypes: true, noUnusedLocals: false },
  );
  expect(program.getSemanticDiagnostics(source)).toEqual([]);
  const checker = program.getTypeChecker();
  const results = source.statements.at(-1);
  const list = results && checker.getTypeAtLocation(results);
  if (!list || !checker.isTupleType(list)) throw new Error("Results is not the last type of the program");
  const inFull = ts.TypeFormatFlags.InTypeAlias | ts.TypeFormatFlags.NoTruncation;
  const refused = checker
    .getTypeArguments(list as ts.TypeReference)
    .map((type) => checker.typeToString(type, undefined, inFull));
  return Object.fromEntries(types.map((type, at) => [type, refused[at] ?? ""]));
}

it("options take undefined under exactOptionalPropertyTypes", { timeout: 60_000 }, () => {
  const types = typesWithOptions();
  expect(types).toContain('import("@grest-ts/websocket").GGCallOptions');
  expect(refusedUndefined(types)).toEqual(Object.fromEntries(types.map((type) => [type, "never"])));
  expect(refusedUndefined(["{ a?: 1; b?: 2 | undefined; c: 3 }"])).toMatchObject({
    "{ a?: 1; b?: 2 | undefined; c: 3 }": '"a"',
  });
});
