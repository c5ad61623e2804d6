import type { GGPermission } from "@grest-ts/schema";
import type { GGSocketContractMethods } from "../api/contract.js";
import type { GGWebSocketMiddleware } from "../api/middleware.js";
import type { GGAsyncApiContact, GGAsyncApiLicense, GGAsyncApiSecurityScheme, GGAsyncApiServer } from "./document.js";
import { keyOf } from "./keys.js";

/** What `toAsyncApi` reads of a schema: any schema that `webSocketSchema(…).done()` has made has it. */
export interface GGAsyncApiSource {
  /** The API's name. */
  readonly name: string;
  /** The path that it is served on. */
  readonly path: string;
  /** Its methods. */
  readonly methods: GGSocketContractMethods;
  /** Its middlewares; one that is a {@link GGDescribedMiddleware} shows its headers. */
  readonly middlewares: readonly GGWebSocketMiddleware[];
  /** Checks the query arguments. */
  readonly queryValidator?: unknown;
  /** What it takes to connect. */
  readonly connectPermission?: GGPermission | undefined;
}

/** A middleware that says which headers of the handshake it reads. */
export interface GGDescribedMiddleware extends GGWebSocketMiddleware {
  /**
   * A validator for each header, by name: `{ authorization: IsString }`. Read for documents only; headers are not checked
   * against it.
   */
  readonly headers?: Readonly<Record<string, unknown>> | undefined;
}

/** What contracts do not say: the second argument of `toAsyncApi`. */
export interface GGAsyncApiInfo {
  /** The title of the document. */
  readonly title: string;
  /** The version of what is described. */
  readonly version: string;
  /** Text for people; CommonMark. Default: a sentence on the frames. */
  readonly description?: string | undefined;
  /** Whom to turn to. Default: not stated. */
  readonly contact?: GGAsyncApiContact | undefined;
  /** On which terms it may be used. Default: not stated. */
  readonly license?: GGAsyncApiLicense | undefined;
  /**
   * Where it is served, by a name of your choice: `ws://`, `wss://`, `http://` or `https://` with host and port, and a path
   * where one is in front of those of the schemas. Default: not stated.
   */
  readonly servers?:
    | Readonly<
        Record<
          string,
          | string
          | {
              /** Its URL, such as `"wss://chat.example"`. */
              readonly url: string;
              /** What it is for. */
              readonly description?: string;
            }
        >
      >
    | undefined;
  /**
   * How clients say who they are, for what needs a permission. Default: by the first header that a middleware of the API
   * describes; where none does, the document does not say.
   */
  readonly security?: GGAsyncApiSecurityScheme | undefined;
}

/**
 * The servers of a document.
 *
 * @throws Error naming the server whose URL is none
 */
export function serversOf(servers: NonNullable<GGAsyncApiInfo["servers"]>): Record<string, GGAsyncApiServer> {
  return Object.fromEntries(
    Object.entries(servers).map(([name, given]) => {
      const { url, description }: { url?: string; description?: string } =
        typeof given === "string" ? { url: given } : Object(given);
      const [, secure, host, pathname] =
        /^(?:ws|http)(s?):\/\/([^/?#\s@]+)(\/[^?#\s]*[^?#\s/])?\/*$/i.exec(url ?? "") ?? [];
      if (!host || !URL.canParse(`ws://${host}`))
        throw new Error(
          `toAsyncApi: the server "${name}" needs a URL with host and port, such as "wss://chat.example", and without credentials and query`,
        );
      const protocol: GGAsyncApiServer["protocol"] = secure ? "wss" : "ws";
      return [keyOf(name), { host, protocol, ...(pathname && { pathname }), ...(description && { description }) }];
    }),
  );
}
