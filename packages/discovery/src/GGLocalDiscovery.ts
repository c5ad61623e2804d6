import { GGDiscoveryClient, type GGDiscoveryRoute } from "./GGDiscoveryClient.js";

/** Discovery within one process: for tests, and for programs that run all of their services together. */
export class GGLocalDiscovery extends GGDiscoveryClient {
  readonly isLocal = true;
  readonly #routes = new Map<string, GGDiscoveryRoute>();
  #announced = true;

  /** Later routes of the same API replace earlier ones, because a restarted service has a new port. */
  registerRoutes(routes: readonly GGDiscoveryRoute[]): void {
    for (const route of routes) this.#routes.set(route.api, route);
  }

  /** Makes the routes visible again after `unregister`. */
  register(): void {
    this.#announced = true;
  }

  /** Hides every route until `register`. */
  unregister(): void {
    this.#announced = false;
  }

  async discoverApi(apiName: string): Promise<string> {
    const route = this.#announced ? this.#routes.get(apiName) : undefined;
    if (route === undefined) {
      const known = this.#announced ? [...this.#routes.keys()] : [];
      throw new Error(`No service offers the API "${apiName}". Known APIs: ${known.join(", ") || "none"}.`);
    }
    return `http://127.0.0.1:${route.port}`;
  }
}
