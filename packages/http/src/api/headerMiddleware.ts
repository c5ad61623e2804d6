import type { GGContextKey } from "@grest-ts/context";
import { BAD_REQUEST } from "@grest-ts/schema";
import type { GGHttpRequest, GGHttpTransportMiddleware } from "./middleware.js";

/** Carries a context key's value in the header of the key's name. */
export class HeaderMiddleware<T> implements GGHttpTransportMiddleware {
  readonly headerName: string;

  constructor(private readonly key: GGContextKey<T>) {
    this.headerName = key.name.toLowerCase();
  }

  updateRequest(request: GGHttpRequest): void {
    const value = this.key.get();
    if (value === undefined || value === null) return;
    const codec = this.key.getCodec("header");
    const text = codec === undefined ? encode(value) : codec.encode(value);
    if (text === undefined) return;
    request.headers ??= {};
    request.headers[this.headerName] = text;
  }

  parseRequest(request: GGHttpRequest): void {
    const raw = request.headers?.[this.headerName];
    if (raw === undefined) return;
    const text = String(raw);
    const codec = this.key.getCodec("header");
    for (const candidate of codec === undefined ? decode(text) : [codec.decode(text)]) {
      // Validated, because this value comes from the peer.
      const result = this.key.schema.safeParse(candidate, true);
      if (result.success) {
        this.key.set(result.value);
        return;
      }
    }
    throw new BAD_REQUEST({ displayMessage: `Invalid header: ${this.headerName}` });
  }
}

/** Scalars are sent as they are if a header can hold them, everything else as JSON with ASCII escapes. */
function encode(value: unknown): string {
  // No leading quote, which would parse as JSON, and no outer blanks, which would be trimmed.
  if (typeof value !== "object" && /^[!#-~]([ -~]*[!-~])?$/.test(String(value))) return String(value);
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The possible values of the text. */
function* decode(text: string): Generator<unknown> {
  if (/^["[{]/.test(text)) {
    try {
      yield JSON.parse(text);
    } catch {
      // Plain text.
    }
  }
  yield text;
}
