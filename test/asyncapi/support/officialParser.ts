import { createRequire } from "node:module";
import type { GGAsyncApiDocument } from "@grest-ts/websocket/asyncapi";
import { decodeFrame } from "../../../src/protocol/frame.js";
import { fixture } from "../../support/paths.js";

interface Parser {
  parse(text: string): Promise<{
    readonly document?: { operations(): { all(): readonly { id(): string }[] } };
    readonly diagnostics: readonly { readonly message: string; readonly path: readonly (string | number)[] }[];
  }>;
}

interface Ajv {
  addSchema(schema: object, key: string): Ajv;
  getSchema(reference: string): ((value: unknown) => boolean) & { errors?: unknown };
}

const requireThere = createRequire(fixture("ecosystem/package.json"));

/** What the official parser says of a document: nothing when it is valid, and it has no advice either. */
export async function adviceOn(document: GGAsyncApiDocument): Promise<{ advice: string[]; operations: string[] }> {
  const { Parser } = requireThere("@asyncapi/parser") as { readonly Parser: new () => Parser };
  const { document: parsed, diagnostics } = await new Parser().parse(JSON.stringify(document));
  return {
    advice: diagnostics.map(({ message, path }) => `${path.join("/")}: ${message}`),
    operations:
      parsed
        ?.operations()
        .all()
        .map((operation) => operation.id()) ?? [],
  };
}

/** Checks frames against the payloads that a document states, with ajv. */
export class FrameChecker {
  readonly #ajv: Ajv;

  constructor(readonly document: GGAsyncApiDocument) {
    const { default: Made } = requireThere("ajv") as { readonly default: new (options: object) => Ajv };
    this.#ajv = new Made({ strict: false, allErrors: true }).addSchema(document, "document");
  }

  /** Whether the payload of a message of an API passes. */
  takes(channel: string, message: string, payload: unknown): boolean {
    return this.#validator(channel, message)(payload);
  }

  /** What the document does not state about a frame: nothing when it is as the document says. */
  faultsOf(text: string): string[] {
    const { type, path, id, payload } = decodeFrame(text);
    const found = Object.entries(this.document.channels).flatMap(([channel, { messages }]) =>
      Object.entries(messages)
        .filter(([, { "x-frame": frame }]) => frame.type === type && frame.path === path)
        .map(([message, { "x-frame": frame, headers }]) => ({ channel, message, frame, headers })),
    );
    const [first] = found;
    if (!first) return [`unknown: ${text}`];
    const faults: string[] = [];
    if ((first.headers !== undefined) !== (id !== "")) faults.push(`id: ${text}`);
    if (payload === "" ? first.frame.payload === "always" : first.frame.payload === "never")
      faults.push(`payload: ${text}`);
    if (payload !== "" && first.frame.payload !== "never") {
      const validator = this.#validator(first.channel, first.message);
      if (!validator(JSON.parse(payload))) faults.push(`${JSON.stringify(validator.errors)}: ${text}`);
    }
    return faults;
  }

  #validator(channel: string, message: string): ReturnType<Ajv["getSchema"]> {
    return this.#ajv.getSchema(`document#/channels/${channel}/messages/${message}/payload`);
  }
}
