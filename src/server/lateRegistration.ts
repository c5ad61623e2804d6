import type { GGHttpServer } from "@grest-ts/http";
import { isPublic } from "../api/permission.js";
import type { ServableSchema } from "../api/schema.js";

/**
 * Checks the permissions of an API that is registered while its HTTP server listens: that server checks only what is
 * registered before its start.
 *
 * @throws Error naming what declares no permission where others on the server do, or what nothing can grant
 */
export function checkLateRegistration(schema: ServableSchema, http: GGHttpServer, hasResolver: boolean): void {
  const surfaces = surfacesOf(schema);
  const others = [
    ...http.registeredSchemas.map(({ contract }) => contract),
    ...http.registeredWebSocketSchemas.map(({ contract }) => contract.clientToServer),
  ];
  const isStrict =
    hasResolver ||
    surfaces.some(({ permission }) => permission !== undefined) ||
    others.some(({ methods }) => Object.values(methods).some(({ permission }) => permission !== undefined));
  const undeclared = surfaces.filter(({ permission }) => permission === undefined);
  if (isStrict && undeclared.length > 0) {
    throw new Error(
      `${schema.name}: ${names(undeclared)} must declare a permission, as others on this server do: GG_NO_PERMISSIONS for what is public`,
    );
  }
  const ungranted = surfaces.filter(({ permission }) => !hasResolver && !isPublic(permission));
  if (ungranted.length > 0) {
    throw new Error(`${schema.name}: nothing grants the permission of ${names(ungranted)}: pass a permissionResolver`);
  }
}

type Surface = { readonly name: string; readonly permission: ServableSchema["connectPermission"] };

function surfacesOf({ name, contract, connectPermission }: ServableSchema): Surface[] {
  const surfaces = Object.entries(contract.clientToServer.methods).map(([method, { permission }]) => ({
    name: `${name}.${method}`,
    permission,
  }));
  if (!connectPermission) return surfaces;
  return [...surfaces, { name: `${name} (connectPermission)`, permission: connectPermission }];
}

function names(surfaces: readonly Surface[]): string {
  return surfaces.map(({ name }) => name).join(", ");
}
