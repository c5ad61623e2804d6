import { it } from "vitest";
import { GGDiscoveryClient, type GGDiscoveryRoute } from "../src/index.js";

const route: GGDiscoveryRoute = { runtime: "shop", api: "ChatApi", protocol: "ws", port: 1, pathPrefix: "/ws/chat" };

it("takes a list of complete routes", () => {
  const discovery = {} as GGDiscoveryClient;
  discovery.registerRoutes([route]);
  const fixed: readonly GGDiscoveryRoute[] = [route];
  // @ts-expect-error the list is the client's to change
  discovery.registerRoutes(fixed);
  const { runtime: _, ...incomplete } = route;
  // @ts-expect-error the runtime is missing
  discovery.registerRoutes([incomplete]);
  // @ts-expect-error an unknown protocol
  discovery.registerRoutes([{ ...route, protocol: "tcp" }]);
});

it("is abstract", () => {
  // @ts-expect-error no client by itself
  new GGDiscoveryClient();
});
