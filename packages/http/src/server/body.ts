import type { IncomingMessage } from "node:http";
import { BAD_REQUEST, PAYLOAD_TOO_LARGE } from "@grest-ts/schema";

/** Reads a JSON body of at most `limit` bytes; an empty one is undefined. Throws the error to answer with. */
export async function readJsonBody(request: IncomingMessage, limit: number): Promise<unknown> {
  const text = await readText(request, limit);
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new BAD_REQUEST({ displayMessage: "The request body is not valid JSON" });
  }
}

async function readText(request: IncomingMessage, limit: number): Promise<string> {
  const tooLarge = () => new PAYLOAD_TOO_LARGE({ displayMessage: `The request body exceeds ${limit} bytes` });
  if (Number(request.headers["content-length"]) > limit) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  // Ending the loop must not destroy the socket: the error response is still to be sent on it.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += (chunk as Buffer).length;
    if (size > limit) throw tooLarge();
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks, size).toString("utf8");
}
