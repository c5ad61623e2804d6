import findMyWay, { type HTTPMethod } from "find-my-way";
import type { GGHttpRouteHandler } from "./types.js";

/** A route that matches a request. */
interface RouteMatch {
  readonly handler: GGHttpRouteHandler;
  readonly params: Readonly<Record<string, string | undefined>>;
}

/** Routes by method and path. */
export class RouteTable {
  readonly #router = findMyWay({ ignoreTrailingSlash: true });

  add(method: string, path: string, handler: GGHttpRouteHandler): void {
    const verb = method.toUpperCase() as HTTPMethod;
    if (!path.startsWith("/")) throw new Error(`HTTP route "${path}" must start with a slash.`);
    if (this.#router.hasRoute(verb, path)) throw new Error(`HTTP route ${verb} ${path} is already registered.`);
    // The router only looks up; its store holds this package's handlers.
    this.#router.on(verb, path, () => undefined, handler);
  }

  find(method: string, url: string): RouteMatch | undefined {
    const found = this.#router.find(method as HTTPMethod, url) ?? (method === "HEAD" && this.#router.find("GET", url));
    return found ? { handler: found.store as GGHttpRouteHandler, params: found.params } : undefined;
  }
}
