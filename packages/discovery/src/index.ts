import "./dedup.js";

export { GG_DISCOVERY, GGDiscoveryClient, type GGDiscoveryRoute } from "./GGDiscoveryClient.js";
export { GGLocalDiscovery } from "./GGLocalDiscovery.js";
