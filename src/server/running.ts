import { Server as TlsServer } from "node:tls";
import type { ServableSchema } from "../api/schema.js";
import type { Host } from "./host/host.js";
import type { Registration } from "./registration.js";

interface Running {
  readonly registration: Registration;
  readonly host: Host;
}

/** By the contract of a schema, which it shares with what a program puts around it. */
const registrations = new WeakMap<ServableSchema["contract"], readonly Running[]>();

/** Notes that this process serves a schema, for the test kit to find. */
export function noteRunning({ contract }: ServableSchema, registration: Registration, host: Host): void {
  const others = (registrations.get(contract) ?? []).filter((one) => !one.registration.isClosing);
  registrations.set(contract, [...others, { registration, host }]);
}

/** The base URL of the server of this process that serves a schema: the latest registration that listens now. */
export function runningServerOf({ contract }: ServableSchema): string | undefined {
  const listening = registrations.get(contract)?.filter((one) => !one.registration.isClosing && one.host.port);
  const latest = listening?.at(-1);
  if (!latest) return undefined;
  const scheme = latest.host.server instanceof TlsServer ? "wss" : "ws";
  return `${scheme}://127.0.0.1:${latest.host.port}`;
}
