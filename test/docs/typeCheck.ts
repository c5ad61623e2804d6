import { relative } from "node:path";
import ts from "typescript";
import { root } from "../support/paths.js";
import { optionsOf, type Workspace } from "./workspace.js";

/** What does not compile: the page, and a sentence that begins with the place in its document. */
export interface TypeProblem {
  readonly page: string;
  readonly text: string;
}

/** Type-checks all files of a workspace in one program. What is wrong in more than one edition is there once. */
export function typeCheck({ folder, files }: Workspace, sources = false): TypeProblem[] {
  const { options, errors } = ts.convertCompilerOptionsFromJson(optionsOf(sources), folder);
  const host = ts.createCompilerHost(options);
  // Types of packages in `test/fixtures/ecosystem` bring others for Node, of which a program can have one only.
  host.resolveTypeReferenceDirectiveReferences = (references, containing, redirect, given) =>
    references.map((reference) => {
      const name = typeof reference === "string" ? reference : reference.fileName;
      const from = name === "node" ? `${folder}/node.ts` : containing;
      return ts.resolveTypeReferenceDirective(name, from, given, host, redirect);
    });
  const program = ts.createProgram([...files.keys()], options, host);
  const found = [...files].flatMap(([path, { document, page, shift }]) => {
    const source = program.getSourceFile(path)!;
    const problems = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    return problems.map(({ start = 0, messageText }) => {
      const line = source.getLineAndCharacterOfPosition(start).line + 1 + shift;
      return { page, text: `${document}:${line}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}` };
    });
  });
  const general = [...errors, ...program.getOptionsDiagnostics(), ...program.getGlobalDiagnostics()];
  if (general.length)
    throw new Error(ts.formatDiagnostics(general, { ...host, getCurrentDirectory: () => relative(root, folder) }));
  return [...new Map(found.map((problem) => [problem.text, problem])).values()];
}
