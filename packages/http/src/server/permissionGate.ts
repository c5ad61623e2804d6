import {
  FORBIDDEN,
  GG_NO_PERMISSIONS,
  type GGPermission,
  GGPermissionChecker,
  NOT_AUTHORIZED,
  satisfies,
} from "@grest-ts/schema";
import { GG_PERMISSIONS, type GGScopeResolver } from "../api/keys.js";

/**
 * Resolves the caller's scopes into the current context and throws unless they satisfy `required`.
 * Without a resolver no caller has an identity, so a guarded method rejects every call.
 */
export async function passGate(
  required: GGPermission | undefined,
  resolver: GGScopeResolver | undefined,
): Promise<void> {
  const scopes = resolver === undefined ? null : await resolver();
  if (scopes !== null) GG_PERMISSIONS.set(new GGPermissionChecker(scopes));
  if (required === undefined || required === GG_NO_PERMISSIONS) return;
  if (scopes === null) throw new NOT_AUTHORIZED();
  if (!satisfies(required, scopes)) throw new FORBIDDEN();
}
