import { expect, it } from "vitest";
import { GG_DISCOVERY, GGDiscoveryClient, type GGDiscoveryRoute, GGLocalDiscovery } from "../src/index.js";

const route = (api: string, port: number): GGDiscoveryRoute => ({
  runtime: "shop",
  api,
  protocol: "ws",
  port,
  pathPrefix: "/ws/chat",
});

it("finds an API by its name, as a base URL", async () => {
  const discovery = new GGLocalDiscovery();
  discovery.registerRoutes([route("ChatApi", 4001), route("NewsApi", 4002)]);
  expect(discovery.isLocal).toBe(true);
  await expect(discovery.discoverApi("ChatApi")).resolves.toBe("http://127.0.0.1:4001");
  await expect(discovery.discoverApi("NewsApi")).resolves.toBe("http://127.0.0.1:4002");
});

it("follows an API to its new port", async () => {
  const discovery = new GGLocalDiscovery();
  discovery.registerRoutes([route("ChatApi", 4001)]);
  discovery.registerRoutes([route("ChatApi", 4003)]);
  await expect(discovery.discoverApi("ChatApi")).resolves.toBe("http://127.0.0.1:4003");
});

it("rejects an unknown API by name, with the known ones", async () => {
  const discovery = new GGLocalDiscovery();
  await expect(discovery.discoverApi("ChatApi")).rejects.toThrow(/"ChatApi".*none/);
  discovery.registerRoutes([route("NewsApi", 4002), route("MailApi", 4003)]);
  await expect(discovery.discoverApi("ChatApi")).rejects.toThrow(/"ChatApi".*NewsApi, MailApi/);
});

it("hides its routes between unregister and register", async () => {
  const discovery = new GGLocalDiscovery();
  discovery.registerRoutes([route("ChatApi", 4001)]);
  discovery.unregister();
  await expect(discovery.discoverApi("ChatApi")).rejects.toThrow(/"ChatApi"/);
  discovery.register();
  await expect(discovery.discoverApi("ChatApi")).resolves.toBe("http://127.0.0.1:4001");
});

it("is reached through its key", () => {
  expect(GG_DISCOVERY.has()).toBe(false);
  const discovery: GGDiscoveryClient = new GGLocalDiscovery();
  GG_DISCOVERY.set(discovery);
  expect(GG_DISCOVERY.get()).toBe(discovery);
  expect(GG_DISCOVERY.get()).toBeInstanceOf(GGDiscoveryClient);
});
