import type { GGContractImplementation, GGContractMethod, GGContractMethods } from "@grest-ts/schema";
import type { GGHttpRegisterConfig, GGHttpSchema } from "../api/GGHttpSchema.js";
import { joinPath } from "../api/GGRpc.js";
import { HeaderMiddleware } from "../api/headerMiddleware.js";
import { createApiRoute } from "./apiRoute.js";
import type { GGHttpServer } from "./GGHttpServer.js";

/** Serves every method of an API on `server`. */
export function registerApi<M extends GGContractMethods>(
  server: GGHttpServer,
  schema: GGHttpSchema<M>,
  implementation: GGContractImplementation<M>,
  config: GGHttpRegisterConfig,
): void {
  const handlers = implementation as Record<string, ((input: unknown) => unknown) | undefined>;
  const methods = Object.entries<GGContractMethod>(schema.contract.methods);

  // Checked first, so that a missing handler does not leave half an API registered.
  for (const [method] of methods) {
    if (typeof handlers[method] !== "function") throw new Error(`Handler missing for ${schema.name}.${method}`);
  }
  for (const [method, contract] of methods) {
    const route = schema.routes[method];
    if (route === undefined) throw new Error(`Route missing for ${schema.name}.${method}`);
    const served = {
      api: schema.name,
      method,
      contract,
      route,
      // Looked up per call and called as a method, so that handlers can use `this` and tests can replace them.
      handler: (input: unknown) => handlers[method]?.(input),
      transport: schema.apiMiddlewares,
      middlewares: config.middlewares ?? [],
      permissionResolver: config.permissionResolver,
    };
    server.registerRoute(route.method, joinPath(schema.pathPrefix, route.path), createApiRoute(served));
  }
  server._registerSchema(schema);
  if (config.permissionResolver !== undefined) server._markResolverWired(schema);
  server.registerCorsHeaders(
    schema.apiMiddlewares.flatMap((middleware) =>
      middleware instanceof HeaderMiddleware ? [middleware.headerName] : [],
    ),
  );
}
