import type { IncomingMessage } from "node:http";
import { type ClientOptions, WebSocket } from "ws";
import type { ConnectOptions } from "../../api/connectOptions.js";
import { setDeadline } from "../../connection/deadlines.js";
import { MAX_PAYLOAD } from "../../protocol/frame.js";
import { WsTransport } from "../../transport/node/ws.js";
import type { Transport } from "../../transport/transport.js";
import { answerFailure, explained } from "./dialFailure.js";

/** What a client may set of its connection: nothing that the defences depend on. */
const OPTIONS: readonly string[] = [
  "headers",
  "origin",
  "agent",
  "ca",
  "cert",
  "key",
  "pfx",
  "passphrase",
  "servername",
  "rejectUnauthorized",
  "localAddress",
  "family",
] satisfies (keyof ConnectOptions)[];

/** Headers of the upgrade itself. */
const RESERVED_HEADER = /^(connection|upgrade|sec-websocket-.*)$/i;

/** How long an answer that is no upgrade may take to say why, in ms, and how much of it is read, in bytes. */
const TEXT_TIMEOUT = 1_000;
const MAX_TEXT = 500;

/** Begins to connect to a URL with `ws`. */
export function dialWs(url: string, options: ConnectOptions = {}): Transport {
  for (const name of Object.keys(options)) {
    if (!OPTIONS.includes(name)) throw new Error(`connectOptions: "${name}" is none of ${OPTIONS.join(", ")}`);
  }
  for (const name of Object.keys(options.headers ?? {})) {
    if (RESERVED_HEADER.test(name)) throw new Error(`connectOptions: the header "${name}" belongs to the upgrade`);
  }
  const all = { ...options, perMessageDeflate: false, maxPayload: MAX_PAYLOAD, followRedirects: false };
  return new DialledTransport(new WebSocket(url, all as ClientOptions), url);
}

/** The client's end of a connection. Its failures have sentences. */
class DialledTransport extends WsTransport {
  readonly #isSecure: boolean;
  /** What was answered in place of the upgrade: more than a later error of the socket says. */
  #answer: ((text?: string) => Error) | undefined;

  constructor(ws: WebSocket, url: string) {
    super(ws);
    this.#isSecure = url.startsWith("wss:");
    ws.on("unexpected-response", (_request, response: IncomingMessage) => {
      const answer = (text = "") => answerFailure(url, response, text);
      this.#answer = answer;
      readText(response, (text) => {
        super.failed(answer(text));
        ws.terminate();
      });
    });
  }

  override failed(error: Error): void {
    super.failed(this.#answer?.() ?? explained(error, this.#isSecure));
  }
}

/** Calls back once, with the text of an answer where it is a short one, such as the reason of a refusal. */
function readText(response: IncomingMessage, callback: (text: string) => void): void {
  const { "content-type": type = "", "content-length": length } = response.headers;
  const isShortText = type.startsWith("text/plain") && Number(length) <= MAX_TEXT;
  // Another runtime's answer may not be a stream.
  if (!isShortText || typeof response.setEncoding !== "function") return callback("");
  let text = "";
  let done = () => {
    done = () => {};
    cancel();
    callback(text);
  };
  const cancel = setDeadline(TEXT_TIMEOUT, () => done());
  response.setEncoding("utf8");
  response.on("data", (chunk: string) => {
    text += chunk;
  });
  response.on("error", () => done());
  response.on("close", () => done());
  response.on("end", () => done());
}
