import { join } from "node:path";
import ts from "typescript";
import { root } from "../support/paths.js";

/** The file that programs are checked as; it exists in memory only. */
export const programFile = join(root, "test/types/generated.ts");

/** The repository's compiler options: programs see the sources, not what was built. */
export function sourceOptions(more: ts.CompilerOptions = {}): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
  return { ...ts.parseJsonConfigFileContent(config, ts.sys, root).options, ...more };
}

/** A program of this text. */
export function programOf(text: string, more?: ts.CompilerOptions): { program: ts.Program; source: ts.SourceFile } {
  const options = sourceOptions(more);
  const host = ts.createCompilerHost(options);
  const source = ts.createSourceFile(programFile, text, options.target ?? ts.ScriptTarget.ES2022);
  const read = host.getSourceFile.bind(host);
  host.getSourceFile = (name, ...rest) => (name === programFile ? source : read(name, ...rest));
  host.fileExists = (name) => name === programFile || ts.sys.fileExists(name);
  return { program: ts.createProgram([programFile], options, host), source };
}

/** What the compiler says about a program of this text. */
export function check(text: string, more?: ts.CompilerOptions): { messages: string[]; instantiations: number } {
  const { program, source } = programOf(text, more);
  const messages = program
    .getSemanticDiagnostics(source)
    .map(({ code, messageText }) => `TS${code} ${ts.flattenDiagnosticMessageText(messageText, "\n")}`);
  return { messages, instantiations: program.getInstantiationCount() };
}
