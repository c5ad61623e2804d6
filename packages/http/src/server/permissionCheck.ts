import { describePermission, GG_NO_PERMISSIONS, type GGPermission } from "@grest-ts/schema";
import type { GGPermissionedMethods, GGRegisteredHttpSchema, GGRegisteredWebSocketSchema } from "./types.js";

/** Something that a permission can guard. */
interface Surface {
  readonly name: string;
  readonly permission: GGPermission | undefined;
  readonly hasResolver: boolean;
}

/** Everything that is registered on one server. */
export interface RegisteredApis {
  readonly http: readonly GGRegisteredHttpSchema[];
  readonly webSocket: readonly GGRegisteredWebSocketSchema[];
  /** The schemas that came with a scope resolver. */
  readonly withResolver: ReadonlySet<object>;
}

/** Throws unless every guarded surface has a resolver and, if any permission is used, every surface declares one. */
export function checkPermissions(apis: RegisteredApis): void {
  const surfaces = listSurfaces(apis);
  const strict = surfaces.some((surface) => surface.permission !== undefined || surface.hasResolver);
  const undeclared = surfaces.filter((surface) => surface.permission === undefined);
  if (strict && undeclared.length > 0) {
    throw new Error(
      "GGHttpServer: permission strict mode is active on this server (at least one route declares a permission or has " +
        ".usePermissions(...) wired), but the following routes have no `permission` declared:\n\n" +
        `${undeclared.map((surface) => `  ${surface.name}`).join("\n")}\n\n` +
        "Fix: declare `permission` on every route — use `GG_NO_PERMISSIONS` for intentionally public ones.",
    );
  }

  const unresolved = surfaces.filter((surface) => isGuarded(surface.permission) && !surface.hasResolver);
  if (unresolved.length > 0) {
    throw new Error(
      "GGHttpServer: these routes declare non-public permissions but their schema was registered without a scope " +
        "resolver:\n\n" +
        `${unresolved.map((surface) => `  ${surface.name}   requires ${describe(surface.permission)}`).join("\n")}\n\n` +
        "Fix: call `.usePermissions(yourResolver)` on the GGHttp chain (or pass `permissionResolver` to the WS schema " +
        "config) before registering these routes.",
    );
  }
}

function listSurfaces({ http, webSocket, withResolver }: RegisteredApis): Surface[] {
  const surfaces = http.flatMap((schema) => listMethods(schema.name, schema.contract, withResolver.has(schema)));
  for (const schema of webSocket) {
    const hasResolver = withResolver.has(schema);
    surfaces.push(...listMethods(schema.name, schema.contract.clientToServer, hasResolver));
    if (schema.connectPermission !== undefined) {
      surfaces.push({ name: `${schema.name} (connectPermission)`, permission: schema.connectPermission, hasResolver });
    }
  }
  return surfaces;
}

function listMethods(api: string, { methods }: GGPermissionedMethods, hasResolver: boolean): Surface[] {
  return Object.entries(methods).map(([method, { permission }]) => ({
    name: `${api}.${method}`,
    permission,
    hasResolver,
  }));
}

function isGuarded(permission: GGPermission | undefined): boolean {
  return permission !== undefined && permission !== GG_NO_PERMISSIONS;
}

function describe(permission: GGPermission | undefined): string {
  if (permission === undefined) return "nothing";
  return typeof permission === "string" ? `"${permission}"` : describePermission(permission);
}
