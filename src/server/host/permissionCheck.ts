import { isPublic } from "../../api/permission.js";
import type { ServableSchema } from "../../api/schema.js";

/** What else a server serves. */
interface Others {
  /** Whether permissions must be declared, whatever this API does. */
  readonly isStrict: boolean;
  /** APIs that must declare permissions when this one does. */
  readonly others?: readonly ServableSchema[];
}

/**
 * Checks the permissions of an API when it is registered, on a server that does not check them when it starts.
 *
 * @throws Error naming what declares no permission where others on the server do, or what nothing can grant
 */
export function checkPermissions(
  schema: ServableSchema,
  hasResolver: boolean,
  { isStrict, others = [] }: Others,
): void {
  const own = surfacesOf(schema);
  const all = [...own, ...others.flatMap(surfacesOf)];
  const undeclared = all.filter(({ permission }) => permission === undefined);
  const mustDeclare = isStrict || hasResolver || undeclared.length < all.length;
  if (mustDeclare && undeclared.length > 0) {
    throw new Error(
      `${schema.name}: ${names(undeclared)} must declare a permission, as others on this server do: GG_NO_PERMISSIONS for what is public`,
    );
  }
  const ungranted = own.filter(({ permission }) => !hasResolver && !isPublic(permission));
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
