import { GGContextKey } from "@grest-ts/context";
import { GGLocatorKey } from "@grest-ts/locator";
import { type GGPermissionChecker, type GGSchema, IsAny } from "@grest-ts/schema";
import type { GGHttpServer } from "../server/GGHttpServer.js";

/** The default server that APIs are registered on. */
export const GG_HTTP_SERVER: GGLocatorKey<GGHttpServer> = new GGLocatorKey<GGHttpServer>("GG_HTTP_SERVER");

/** What the caller of the current request or connection may do. Absent without a resolver or without an identity. */
export const GG_PERMISSIONS: GGContextKey<GGPermissionChecker> = new GGContextKey<GGPermissionChecker>(
  "GG_PERMISSIONS",
  // Only the framework sets it, so the value needs no validation.
  IsAny as unknown as GGSchema<GGPermissionChecker>,
  { description: "The scopes that the caller's identity has been granted." },
);

/** Finds the caller's scopes from the current context. `null` means that the caller has no identity. */
export type GGScopeResolver = () => ReadonlySet<string> | null | Promise<ReadonlySet<string> | null>;
